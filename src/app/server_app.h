// The composition root of the server: creates the real world, wires the layers in the order of the
// data flow, and stops them in the reverse order.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "app/data_dir.h"
#include "base/error.h"
#include "platform/config/config.h"

namespace offpeak {

class ServerApp {
 public:
  /// Takes up unfinished batches and listens; everything runs when it returns.
  static Result<std::unique_ptr<ServerApp>> start(Config config);
  ~ServerApp();
  ServerApp(const ServerApp&) = delete;

  /// "http://127.0.0.1:2424"
  const std::string& url() const;
  /// The default project's key, if this was the data directory's first start.
  const std::optional<std::string>& new_key() const;
  /// Takes no more work, lets attempts in flight end, makes everything durable, stops.
  void drain(std::chrono::milliseconds timeout);

 private:
  struct Parts;
  explicit ServerApp(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace offpeak
