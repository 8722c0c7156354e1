#include "platform/http/client.h"

#include <fmt/format.h>

#include <array>
#include <boost/asio/connect.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/read.hpp>
#include <utility>

#include "platform/http/client_impl.h"

namespace offpeak::http {

namespace net = boost::asio;
namespace beast = boost::beast::http;
using boost::system::error_code;

TlsContext::TlsContext() : ssl(net::ssl::context::tls_client) {
  ssl.set_default_verify_paths();
  ssl.set_verify_mode(net::ssl::verify_peer);
}

std::unique_ptr<TlsContext, void (*)(TlsContext*)> make_tls_context() {
  return {new TlsContext, [](TlsContext* context) { delete context; }};
}

std::string Endpoint::authority() const {
  const bool bracketed = host.contains(':');
  const std::string name = bracketed ? fmt::format("[{}]", host) : host;
  return port == (tls ? 443 : 80) ? name : fmt::format("{}:{}", name, port);
}

namespace {

constexpr std::size_t kBuffersMax = 16;

ClientFailureKind kind_of(const error_code& error) {
  if (error == beast::error::header_limit || error == beast::error::bad_version ||
      error == beast::error::bad_status || error == beast::error::bad_reason ||
      error == beast::error::bad_field || error == beast::error::bad_value) {
    return ClientFailureKind::head_not_acceptable;
  }
  if (error == beast::error::body_limit) return ClientFailureKind::body_too_large;
  return ClientFailureKind::broken;
}

}  // namespace

void ClientConnection::Impl::on_expired() {
  timed_out = true;
  close();
}

void ClientConnection::Impl::close() {
  error_code ignored;
  if (resolver) resolver->cancel();
  socket.close(ignored);
  usable = false;
  in_body = false;
}

bool ClientConnection::Impl::begin(SteadyTime by) {
  if (in_body) close();
  timed_out = false;
  aborted = false;
  deadline = by;
  arm(by);
  return usable;
}

ClientConnection::ClientConnection(const ClientContext& context, const Endpoint& endpoint)
    : impl_(std::make_unique<Impl>(context, endpoint)) {}

ClientConnection::~ClientConnection() = default;

void ClientConnection::abort() {
  impl_->aborted = true;
  impl_->close();
}

Task<ClientResult> ClientConnection::exchange(std::span<const std::string_view> request,
                                              SteadyTime deadline) {
  Impl& self = *impl_;
  const bool reused = self.begin(deadline);
  auto result = co_await self.try_once(request, reused);
  if (!result) result = co_await self.try_once(request, false);
  self.disarm();
  co_return std::move(*result);
}

ClientFailure ClientConnection::Impl::connect_failure(const error_code& error) const {
  if (context.watchdog.clock().steady_now() >= deadline) {
    return {ClientFailureKind::timeout, "no connection within the attempt's time"};
  }
  return {ClientFailureKind::connect,
          timed_out ? "no connection within the connect timeout" : error.message()};
}

ClientFailure ClientConnection::Impl::failure(const error_code& error) const {
  if (timed_out) return {ClientFailureKind::timeout, "the answer was not there in time"};
  return {kind_of(error), error.message()};
}

Task<std::optional<ClientResult>> ClientConnection::Impl::try_once(
    std::span<const std::string_view> request, bool reused) {
  if (!reused) {
    const error_code error = co_await connect();
    if (error) {
      close();
      co_return connect_failure(error);
    }
  }
  got_bytes = false;
  error_code error = co_await send(request);
  std::optional<Parser> parser;
  int status = 100;
  // A server may answer and close without reading all of the request: look for the answer anyway.
  const error_code send_error = error;
  do {
    parser.emplace();
    error = co_await read_head(*parser);
    status = parser->get().result_int();
  } while (!error && status < 200 && status != 101);
  if (!error) error = co_await read_body(*parser);
  if (error && reused && !got_bytes && !timed_out && !aborted) {
    close();
    co_return std::nullopt;
  }
  if (error) {
    close();
    co_return failure(send_error && kind_of(error) == ClientFailureKind::broken ? send_error
                                                                                : error);
  }
  auto& message = parser->get();
  if (!parser->keep_alive() || send_error || buffer.size() > 0) close();
  const auto field = [&](std::string_view name) {
    const auto value = message[name];
    return std::string(value.data(), value.size());
  };
  co_return ClientReply{status, std::move(message.body()), field("x-request-id"),
                        field("retry-after"), field("retry-after-ms")};
}

Task<error_code> ClientConnection::Impl::connect() {
  close();
  buffer.consume(buffer.size());
  arm(std::min(deadline, context.watchdog.clock().steady_now() + context.limits.connect_timeout));
  resolver.emplace(context.loop.executor());
  const auto [resolve_error, found] =
      co_await resolver->async_resolve(endpoint.host, std::to_string(endpoint.port), kAwait);
  if (resolve_error) co_return resolve_error;
  if (timed_out) co_return net::error::timed_out;
  if (aborted) co_return net::error::operation_aborted;
  const auto connected = co_await net::async_connect(socket, found, kAwait);
  if (const auto& error = std::get<0>(connected)) co_return error;
  error_code ignored;
  socket.set_option(net::ip::tcp::no_delay(true), ignored);
  if (endpoint.tls) {
    tls.emplace(socket, context.tls.ssl);
    tls->set_verify_callback(net::ssl::host_name_verification(endpoint.host));
    ::SSL_set_tlsext_host_name(tls->native_handle(), endpoint.host.c_str());
    const auto [error] = co_await tls->async_handshake(net::ssl::stream_base::client, kAwait);
    if (error) co_return error;
  }
  buffer.reserve(kReadBytes);
  usable = true;
  arm(deadline);
  co_return error_code();
}

Task<error_code> ClientConnection::Impl::send(std::span<const std::string_view> request) {
  std::array<net::const_buffer, kBuffersMax> buffers;
  for (std::size_t i = 0; i < request.size(); ++i) {
    buffers.at(i) = net::const_buffer(request[i].data(), request[i].size());
  }
  const std::span<const net::const_buffer> used(buffers.data(), request.size());
  if (tls) {
    const auto [error, count] = co_await net::async_write(*tls, used, kAwait);
    co_return error;
  }
  const auto [error, count] = co_await net::async_write(socket, used, kAwait);
  co_return error;
}

Task<error_code> ClientConnection::Impl::read_head(Parser& parser) {
  parser.header_limit(static_cast<std::uint32_t>(context.limits.head_bytes_max));
  parser.body_limit(context.limits.body_bytes_max);
  error_code error;
  std::size_t count = 0;
  if (tls) {
    std::tie(error, count) = co_await beast::async_read_header(*tls, buffer, parser, kAwait);
  } else {
    std::tie(error, count) = co_await beast::async_read_header(socket, buffer, parser, kAwait);
  }
  got_bytes = got_bytes || count > 0 || parser.got_some();
  // Beast looks at its limit only while a head is incomplete.
  if (!error && count > context.limits.head_bytes_max) error = beast::error::header_limit;
  co_return error;
}

Task<error_code> ClientConnection::Impl::read_body(Parser& parser) {
  if (parser.is_done()) co_return error_code();
  if (const auto length = parser.content_length(); length && *length > kReadBytes) {
    buffer.reserve(std::min<std::size_t>(*length, 64 * 1024));
  }
  error_code error;
  std::size_t count = 0;
  if (tls) {
    std::tie(error, count) = co_await beast::async_read(*tls, buffer, parser, kAwait);
  } else {
    std::tie(error, count) = co_await beast::async_read(socket, buffer, parser, kAwait);
  }
  co_return error;
}

}  // namespace offpeak::http
