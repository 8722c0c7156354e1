// The HTTP/1.1 server: accepts, enforces limits and deadlines, hands requests to a Handler.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "base/random.h"
#include "platform/async/event_loop.h"
#include "platform/http/message.h"

namespace offpeak::http {

struct ServerLimits {
  std::size_t connections_max = 20'000;
  std::chrono::milliseconds head_timeout = std::chrono::seconds(15);   // first byte to whole head
  std::chrono::milliseconds idle_timeout = std::chrono::seconds(120);  // between requests
  /// A client that is waited for, to send a body or to take a response, is cut when it moves fewer
  /// than `stall_bytes_min` bytes in `stall_timeout` of waiting.
  std::chrono::milliseconds stall_timeout = std::chrono::seconds(30);
  std::uint64_t stall_bytes_min = 1024;
  /// What is read and thrown away after an early answer, so that the client sees the answer and not
  /// a broken connection.
  std::uint64_t drain_bytes_max = 256ull << 20;
  std::chrono::milliseconds drain_timeout = std::chrono::seconds(30);
};

class Server {
 public:
  /// All references outlive the server.
  Server(EventLoop& loop, Handler& handler, const Clock& clock, Random& random,
         ServerLimits limits);
  ~Server();
  Server(const Server&) = delete;

  /// Binds and starts to accept; port 0 takes a free one. Returns "HOST:PORT" as bound.
  Result<std::string> listen(const std::string& host, std::uint16_t port);
  /// Accepts no more, and ends each connection after the response it is working on. Any thread.
  void stop_accepting();
  std::size_t connections() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace offpeak::http
