// The part of ClientConnection that hands a reply's body on while it arrives.
#include <sys/socket.h>

#include <utility>

#include "platform/http/client_impl.h"

namespace offpeak::http {

namespace net = boost::asio;
namespace beast = boost::beast::http;
using boost::system::error_code;

bool ClientConnection::reusable() const {
  return impl_->usable && !impl_->in_body;
}

Task<std::expected<ClientHead, ClientFailure>> ClientConnection::open(
    std::span<const std::string_view> request, SteadyTime deadline) {
  Impl& self = *impl_;
  bool reused = self.begin(deadline);
  if (reused && self.is_stale()) {
    self.close();
    reused = false;
  }
  auto result = co_await self.open_once(request, reused);
  if (!result) result = co_await self.open_once(request, false);
  self.disarm();
  co_return std::move(*result);
}

bool ClientConnection::Impl::is_stale() {
  char byte = 0;
  const auto count = ::recv(socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  if (count < 0) return errno != EAGAIN;
  // TLS sends records of its own between replies.
  return count == 0 || !endpoint.tls;
}

Task<std::optional<ClientConnection::Impl::HeadResult>> ClientConnection::Impl::open_once(
    std::span<const std::string_view> request, bool reused) {
  if (!reused) {
    const error_code error = co_await connect();
    if (error) {
      close();
      co_return std::unexpected(connect_failure(error));
    }
  }
  got_bytes = false;
  const error_code send_error = co_await send(request);
  const error_code error = co_await open_stream();
  if (error && reused && !got_bytes && !timed_out && !aborted) {
    close();
    co_return std::nullopt;
  }
  if (error) {
    close();
    co_return std::unexpected(failure(error));
  }
  in_body = true;
  unsent = send_error.failed();
  const auto& message = stream->get();
  ClientHead head{.status = static_cast<int>(message.result_int())};
  for (const auto& field : message) {
    head.headers.push_back({std::string(field.name_string()), std::string(field.value())});
  }
  if (const auto length = stream->content_length()) head.content_length = *length;
  if (stream->is_done()) {
    head.content_length = 0;
    finish_stream();
  }
  co_return std::move(head);
}

Task<error_code> ClientConnection::Impl::open_stream() {
  int status = 0;
  do {
    stream.emplace();
    stream->header_limit(static_cast<std::uint32_t>(context.limits.head_bytes_max));
    stream->body_limit(boost::none);
    std::size_t taken = 0;
    while (!stream->is_header_done()) {
      const std::size_t buffered = buffer.size();
      error_code error = buffered > 0 ? parse_buffered() : beast::error::need_more;
      taken += buffered - buffer.size();
      if (error && error != beast::error::need_more) co_return error;
      if (std::max(taken, buffer.size()) > context.limits.head_bytes_max) {
        co_return beast::error::header_limit;
      }
      if (stream->is_header_done()) break;
      error = co_await fill_buffer();
      if (error) co_return error;
    }
    status = static_cast<int>(stream->get().result_int());
  } while (status < 200 && status != 101);
  // We ask for no other protocol.
  if (status == 101) co_return beast::error::bad_status;
  stream->eager(true);
  co_return error_code();
}

error_code ClientConnection::Impl::parse_buffered() {
  error_code error;
  const std::size_t used = stream->put(buffer.data(), error);
  buffer.consume(used);
  return error;
}

Task<error_code> ClientConnection::Impl::fill_buffer() {
  const auto room = buffer.prepare(kReadBytes);
  error_code error;
  std::size_t count = 0;
  if (tls) {
    std::tie(error, count) = co_await tls->async_read_some(room, kAwait);
  } else {
    std::tie(error, count) = co_await socket.async_read_some(room, kAwait);
  }
  buffer.commit(count);
  got_bytes = got_bytes || count > 0;
  co_return error;
}

/// The connection ended: the end of a body without a length, else a fault.
error_code ClientConnection::Impl::take_end() {
  error_code error;
  stream->put_eof(error);
  if (!error && !stream->is_done()) error = beast::error::partial_message;
  return error;
}

void ClientConnection::Impl::finish_stream() {
  const bool keep = stream->keep_alive() && !unsent && buffer.size() == 0;
  in_body = false;
  if (!keep) close();
}

Task<std::expected<std::size_t, ClientFailure>> ClientConnection::read(std::span<char> into,
                                                                       SteadyTime deadline) {
  Impl& self = *impl_;
  if (self.aborted || self.timed_out) {
    co_return std::unexpected(self.failure(net::error::operation_aborted));
  }
  if (!self.in_body) co_return 0;
  auto& target = self.stream->get().body();
  target.data = into.data();
  target.size = into.size();
  self.arm(deadline);
  error_code error;
  while (true) {
    while (self.buffer.size() > 0 && !self.stream->is_done() && !error) {
      error = self.parse_buffered();
    }
    if (error == beast::error::need_more || error == beast::error::need_buffer) error = {};
    if (error || target.size < into.size() || self.stream->is_done()) break;
    error = co_await self.fill_buffer();
    if (error == net::error::eof && !self.aborted && !self.timed_out) error = self.take_end();
    if (error) break;
  }
  self.disarm();
  if (error) {
    self.close();
    co_return std::unexpected(self.failure(error));
  }
  if (self.stream->is_done()) self.finish_stream();
  co_return into.size() - target.size;
}

}  // namespace offpeak::http
