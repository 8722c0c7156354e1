// Keep-alive connections to one upstream that no call uses at the moment. REQUIRES: one loop's
// thread.
#pragma once

#include <deque>
#include <memory>

#include "base/clock.h"
#include "platform/http/client.h"

namespace offpeak {

class ConnectionPool {
 public:
  static constexpr std::size_t kIdleMax = 128;

  /// Both outlive the pool and its connections.
  ConnectionPool(const http::ClientContext& context, const http::Endpoint& endpoint)
      : context_(context), endpoint_(endpoint) {}

  /// The one that was used last, or a new one.
  std::unique_ptr<http::ClientConnection> take();
  /// Keeps a connection that can be used again, closes any other.
  void give(std::unique_ptr<http::ClientConnection> connection, SteadyTime now);
  /// Closes those that nobody has used since `since`.
  void close_unused(SteadyTime since);
  std::size_t size() const { return idle_.size(); }

 private:
  struct Idle {
    std::unique_ptr<http::ClientConnection> connection;
    SteadyTime since;
  };

  const http::ClientContext& context_;
  const http::Endpoint& endpoint_;
  std::deque<Idle> idle_;  // the last one used is at the end
};

}  // namespace offpeak
