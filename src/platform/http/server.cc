#include "platform/http/server.h"

#include <fmt/format.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <unordered_set>

#include "platform/http/server_connection.h"
#include "platform/http/watchdog.h"

namespace offpeak::http {
namespace {

namespace net = boost::asio;
using Acceptor = net::basic_socket_acceptor<net::ip::tcp, Executor>;

constexpr std::string_view kFullAnswer =
    "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nretry-after: 2\r\n"
    "connection: close\r\n\r\n";

}  // namespace

struct Server::Impl {
  Impl(EventLoop& on, Handler& handler, const Clock& clock, Random& random, ServerLimits with)
      : loop(on),
        limits(with),
        watchdog(clock),
        context{handler, random, watchdog, limits, stopping},
        acceptor(on.executor()) {}

  Task<> accept() {
    while (acceptor.is_open()) {
      auto [error, socket] = co_await acceptor.async_accept(net::as_tuple(use_task));
      if (error == net::error::operation_aborted) break;
      if (error) {
        // Out of file descriptors: others must end first.
        co_await sleep_for(loop, std::chrono::milliseconds(100));
        continue;
      }
      if (connections.size() >= limits.connections_max) {
        boost::system::error_code ignored;
        socket.non_blocking(true, ignored);
        socket.write_some(net::buffer(kFullAnswer), ignored);
        continue;
      }
      loop.spawn(serve(std::move(socket)));
    }
  }

  Task<> serve(Socket socket) {
    ServerConnection connection(std::move(socket), context);
    connections.insert(&connection);
    co_await connection.run();
    connections.erase(&connection);
  }

  EventLoop& loop;
  ServerLimits limits;
  Watchdog watchdog;
  bool stopping = false;
  ConnectionContext context;
  Acceptor acceptor;
  std::unordered_set<ServerConnection*> connections;
};

Server::Server(EventLoop& loop, Handler& handler, const Clock& clock, Random& random,
               ServerLimits limits)
    : impl_(std::make_unique<Impl>(loop, handler, clock, random, limits)) {}

Server::~Server() = default;

Result<std::string> Server::listen(const std::string& host, std::uint16_t port) {
  const auto what = [&](std::string_view why) {
    return fail(ErrorKind::unavailable, fmt::format("Cannot listen on {}:{}: {}", host, port, why));
  };
  boost::system::error_code error;
  net::ip::tcp::resolver resolver(impl_->loop.context());
  const auto found = resolver.resolve(host, std::to_string(port), error);
  if (error || found.empty()) return what(error.message());
  const net::ip::tcp::endpoint endpoint = *found.begin();
  auto& acceptor = impl_->acceptor;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(net::socket_base::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(4096, error);
  if (error == net::error::address_in_use) {
    return what("the port is in use. Stop the other program or choose another port with --listen.");
  }
  if (error) return what(error.message());
  impl_->loop.spawn(impl_->watchdog.run(impl_->loop));
  impl_->loop.spawn(impl_->accept());
  const auto bound = acceptor.local_endpoint().port();
  if (host.contains(':')) return fmt::format("[{}]:{}", host, bound);
  return fmt::format("{}:{}", host, bound);
}

void Server::stop_accepting() {
  impl_->loop.post([impl = impl_.get()] {
    boost::system::error_code ignored;
    impl->stopping = true;
    impl->acceptor.close(ignored);
    for (ServerConnection* connection : impl->connections) connection->stop();
  });
}

std::size_t Server::connections() const {
  return impl_->connections.size();
}

}  // namespace offpeak::http
