#include "pipeline/relay/connection_pool.h"

#include <utility>

namespace offpeak {

std::unique_ptr<http::ClientConnection> ConnectionPool::take() {
  if (idle_.empty()) return std::make_unique<http::ClientConnection>(context_, endpoint_);
  auto connection = std::move(idle_.back().connection);
  idle_.pop_back();
  return connection;
}

void ConnectionPool::give(std::unique_ptr<http::ClientConnection> connection, SteadyTime now) {
  if (!connection->reusable()) return;
  if (idle_.size() >= kIdleMax) idle_.pop_front();
  idle_.push_back({std::move(connection), now});
}

void ConnectionPool::close_unused(SteadyTime since) {
  while (!idle_.empty() && idle_.front().since < since) idle_.pop_front();
}

}  // namespace offpeak
