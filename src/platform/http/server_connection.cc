#include "platform/http/server_connection.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/read.hpp>
#include <cerrno>
#include <cstring>
#include <utility>

#include "platform/http/head_policy.h"

namespace offpeak::http {
namespace {

namespace net = boost::asio;
namespace beast = boost::beast::http;

constexpr auto kAwait = net::as_tuple(use_task);
constexpr std::size_t kHeadReadBytes = 4 * 1024;
constexpr std::size_t kPieceBytes = 256 * 1024;
/// What a client may send ahead while its connection is watched.
constexpr std::size_t kSentAheadMax = kHeadBytesMax;
/// A body left unread that is no longer than this is read over before the answer is written.
constexpr std::uint64_t kSmallRest = 64 * 1024;
constexpr std::size_t kChunkExtensionMax = 256;

std::string_view reason_of(int status) {
  const auto reason = beast::obsolete_reason(static_cast<beast::status>(status));
  return {reason.data(), reason.size()};
}

/// Request targets in absolute form are reduced to their path and query (RFC 9112 section 3.2.2).
std::string origin_form(std::string_view target) {
  if (target.starts_with('/') || target == "*") return std::string(target);
  const auto slash = target.find('/', target.find("://") + 3);
  return slash == std::string_view::npos ? "/" : std::string(target.substr(slash));
}

}  // namespace

class ServerConnection::Body final : public RequestBody {
 public:
  Body(ServerConnection& connection, Parser& parser, const Request& request)
      : connection_(connection),
        parser_(parser),
        expects_continue_(iequals(request.header("expect"), "100-continue")) {
    parser_.on_chunk_header(chunk_header_);
  }

  bool done() const { return parser_.is_done(); }
  /// Reads over what the handler left, if that is little: the connection can then be kept.
  Task<> skip_small_rest() {
    if (done() || expects_continue_ || remaining().value_or(0) > kSmallRest) co_return;
    std::size_t skipped = 0;
    while (!done() && skipped <= kSmallRest) {
      const auto piece = co_await read();
      if (!piece) co_return;
      skipped += piece->size();
    }
  }

  Task<Result<std::string_view>> read() override {
    if (broken_) co_return fail(ErrorKind::invalid_request, "The request's body is broken.");
    if (parser_.is_done()) co_return std::string_view();
    if (std::exchange(expects_continue_, false) && connection_.buffer_.size() == 0) {
      co_await connection_.write("HTTP/1.1 100 Continue\r\n\r\n");
    }
    prepare();
    auto& target = parser_.get().body();
    while (true) {
      target.data = piece_.data();
      target.size = piece_.size();
      connection_.begin_wait();
      auto [error, count] = co_await beast::async_read_some(connection_.socket_,
                                                            connection_.buffer_, parser_, kAwait);
      if (error == beast::error::need_buffer) error = {};
      connection_.end_wait(count);
      const std::size_t filled = piece_.size() - target.size;
      if (error || extension_too_long_) {
        broken_ = true;
        connection_.dead_ = error && error.category() == boost::system::system_category();
        co_return fail(ErrorKind::invalid_request,
                       "The request's body broke off or is not framed as HTTP requires.");
      }
      if (filled > 0 || parser_.is_done()) co_return std::string_view(piece_.data(), filled);
    }
  }

  void when_gone(std::function<void()> gone) override {
    if (!gone) return connection_.end_watch();
    if (parser_.is_done()) connection_.watch_client(std::move(gone));
  }

 private:
  std::optional<std::uint64_t> remaining() const {
    const auto left = parser_.content_length_remaining();
    return left ? std::optional(*left) : std::nullopt;
  }

  void prepare() {
    if (!piece_.empty()) return;
    const auto left = remaining().value_or(kPieceBytes);
    piece_.resize(std::max<std::uint64_t>(1, std::min<std::uint64_t>(left, kPieceBytes)));
    // Beast sizes each read by the buffer's free capacity: 512 bytes if nobody reserves.
    if (piece_.size() > kHeadReadBytes) connection_.buffer_.reserve(piece_.size());
  }

  ServerConnection& connection_;
  Parser& parser_;
  std::vector<char> piece_;
  bool expects_continue_;
  bool broken_ = false;
  bool extension_too_long_ = false;
  std::function<void(std::uint64_t, boost::beast::string_view, boost::system::error_code&)>
      chunk_header_ =
          [this](std::uint64_t, boost::beast::string_view extension, boost::system::error_code&) {
            extension_too_long_ = extension_too_long_ || extension.size() > kChunkExtensionMax;
          };
};

ServerConnection::ServerConnection(Socket socket, const ConnectionContext& context)
    : Watched(context.watchdog), socket_(std::move(socket)), context_(context) {
  boost::system::error_code ignored;
  socket_.set_option(net::ip::tcp::no_delay(true), ignored);
}

void ServerConnection::stop() {
  if (phase_ == Phase::exchange) return;
  boost::system::error_code ignored;
  socket_.close(ignored);
}

void ServerConnection::on_expired() {
  if (phase_ == Phase::exchange && moved_ >= context_.limits.stall_bytes_min) {
    new_window();
    begin_wait();
    return;
  }
  boost::system::error_code ignored;
  socket_.close(ignored);
}

void ServerConnection::new_window() {
  moved_ = 0;
  waited_ = {};
}

void ServerConnection::begin_wait() {
  wait_began_ = context_.watchdog.clock().steady_now();
  arm(wait_began_ + context_.limits.stall_timeout - waited_);
}

void ServerConnection::end_wait(std::size_t bytes) {
  disarm();
  moved_ += bytes;
  if (moved_ >= context_.limits.stall_bytes_min) return new_window();
  waited_ += context_.watchdog.clock().steady_now() - wait_began_;
}

void ServerConnection::watch_client(std::function<void()> gone) {
  end_watch();
  watch_ = std::make_shared<Watch>(Watch{this, std::move(gone)});
  wait_for_client();
}

void ServerConnection::wait_for_client() {
  const auto seen = [watch = std::weak_ptr(watch_)](const boost::system::error_code& error) {
    const auto held = watch.lock();
    if (held && !error) held->connection->look_at_client();
  };
  socket_.async_wait(Socket::wait_read, seen);
}

void ServerConnection::look_at_client() {
  if (buffer_.size() >= kSentAheadMax) return;
  const auto room = buffer_.prepare(kHeadReadBytes);
  const auto count = ::recv(socket_.native_handle(), room.data(), room.size(), MSG_DONTWAIT);
  if (count > 0) buffer_.commit(static_cast<std::size_t>(count));
  if (count > 0 || (count < 0 && (errno == EAGAIN || errno == EINTR))) return wait_for_client();
  dead_ = true;
  boost::system::error_code ignored;
  socket_.close(ignored);
  const auto watch = std::exchange(watch_, nullptr);
  watch->gone();
}

void ServerConnection::end_watch() {
  if (!watch_) return;
  watch_.reset();
  boost::system::error_code ignored;
  socket_.cancel(ignored);
}

Task<> ServerConnection::run() {
  while (!context_.stopping) {
    const bool again = co_await serve_one();
    if (!again) break;
    if (buffer_.size() == 0 && buffer_.capacity() > kHeadReadBytes) buffer_.shrink_to_fit();
  }
  boost::system::error_code ignored;
  socket_.shutdown(net::ip::tcp::socket::shutdown_both, ignored);
}

Task<bool> ServerConnection::serve_one() {
  phase_ = Phase::idle;
  const std::size_t head_bytes = co_await read_head();
  if (head_bytes == 0) co_return false;
  phase_ = Phase::exchange;
  disarm();
  new_window();
  Request request;
  request.id = "req_" + context_.random.hex(32);
  const std::string_view head(static_cast<const char*>(buffer_.data().data()), head_bytes);
  auto problem = check_head(head);
  Parser parser;
  if (!problem && !parse(head_bytes, parser, request))
    problem = "The request head cannot be parsed.";
  if (problem) {
    Error error{ErrorKind::invalid_request, std::move(*problem)};
    co_await refuse(std::move(error), std::move(request.id));
    co_return false;
  }
  Body body(*this, parser, request);
  Response response = co_await context_.handler.handle(request, body);
  if (dead_) co_return false;
  co_await body.skip_small_rest();
  if (dead_) co_return false;
  new_window();
  const bool chunks = parser.get().version() > 10;
  const bool keep_alive = parser.keep_alive() && body.done() && !context_.stopping && chunks;
  const Form form{request.method == "HEAD", keep_alive, chunks};
  const bool written = co_await respond(std::move(response), form);
  end_watch();
  if (written && !body.done()) co_await drain(&body);
  co_return written&& keep_alive;
}

Task<std::size_t> ServerConnection::read_head() {
  const auto& limits = context_.limits;
  arm(context_.watchdog.clock().steady_now() + limits.idle_timeout);
  std::size_t searched = 0;
  while (true) {
    const std::string_view seen(static_cast<const char*>(buffer_.data().data()), buffer_.size());
    if (!seen.empty() && phase_ == Phase::idle) {
      phase_ = Phase::head;
      arm(context_.watchdog.clock().steady_now() + limits.head_timeout);
    }
    const auto end = seen.find("\r\n\r\n", searched > 3 ? searched - 3 : 0);
    if (end != std::string_view::npos) co_return end + 4;
    // A lone "\n" never becomes part of a good head; waiting for more would only hide that.
    const auto line_feed = seen.find('\n', searched);
    if (line_feed != std::string_view::npos && (line_feed == 0 || seen[line_feed - 1] != '\r')) {
      co_return seen.size();
    }
    searched = seen.size();
    if (seen.size() >= kHeadBytesMax) {
      Error error{ErrorKind::too_large, "The request head is larger than 64 KiB.",
                  "head_too_large"};
      co_await refuse(std::move(error), "req_" + context_.random.hex(32));
      co_return 0;
    }
    const bool more = co_await read_more(kHeadReadBytes);
    if (!more) co_return 0;
  }
}

Task<bool> ServerConnection::read_more(std::size_t bytes) {
  const auto [error, count] = co_await socket_.async_read_some(buffer_.prepare(bytes), kAwait);
  if (error) co_return false;
  buffer_.commit(count);
  co_return true;
}

bool ServerConnection::parse(std::size_t head_bytes, Parser& parser, Request& request) {
  parser.header_limit(kHeadBytesMax + kHeadReadBytes);
  parser.body_limit(boost::none);
  boost::system::error_code error;
  const std::size_t used = parser.put(net::const_buffer(buffer_.data().data(), head_bytes), error);
  if ((error && error != beast::error::need_buffer) || !parser.is_header_done()) return false;
  buffer_.consume(used);
  const auto& message = parser.get();
  request.method = message.method_string();
  const auto target = message.target();
  request.target = origin_form({target.data(), target.size()});
  for (const auto& field : message) {
    request.headers.push_back({std::string(field.name_string()), std::string(field.value())});
  }
  if (const auto length = parser.content_length()) request.content_length = *length;
  return true;
}

Task<> ServerConnection::refuse(Error error, std::string id) {
  phase_ = Phase::exchange;
  Response response = context_.handler.refuse(error, id);
  const bool written = co_await respond(std::move(response), Form{.keep_alive = false});
  if (written) co_await drain(nullptr);
}

Task<bool> ServerConnection::respond(Response response, Form form) {
  std::string head = fmt::format("HTTP/1.1 {} {}\r\n", response.status, reason_of(response.status));
  for (const auto& header : response.headers) {
    fmt::format_to(std::back_inserter(head), "{}: {}\r\n", header.name, header.value);
  }
  if (!form.keep_alive) head += "connection: close\r\n";
  if (auto* const text = std::get_if<std::string>(&response.body)) {
    fmt::format_to(std::back_inserter(head), "content-length: {}\r\n\r\n", text->size());
    co_return co_await write(head, form.head_only ? std::string_view() : *text);
  }
  auto& stream = *std::get<std::unique_ptr<ResponseStream>>(response.body);
  const auto length = stream.length();
  const bool chunked = !length && form.chunks;
  if (length) {
    fmt::format_to(std::back_inserter(head), "content-length: {}\r\n\r\n", *length);
  } else {
    head += chunked ? "transfer-encoding: chunked\r\n\r\n" : "\r\n";
  }
  if (form.head_only) co_return co_await write(head);
  co_return co_await write_stream(stream, std::move(head), chunked);
}

Task<bool> ServerConnection::write_stream(ResponseStream& stream, std::string head, bool chunked) {
  while (true) {
    const auto piece = co_await stream.next();
    if (!piece) co_return false;
    if (piece->empty()) co_return co_await write(head, chunked ? "0\r\n\r\n" : "");
    if (chunked) fmt::format_to(std::back_inserter(head), "{:x}\r\n", piece->size());
    const bool written = co_await write(head, *piece, chunked ? "\r\n" : "");
    if (!written) co_return false;
    head.clear();
  }
}

Task<bool> ServerConnection::write(std::string_view first, std::string_view second,
                                   std::string_view third) {
  std::array<net::const_buffer, 3> buffers = {net::const_buffer(first.data(), first.size()),
                                              net::const_buffer(second.data(), second.size()),
                                              net::const_buffer(third.data(), third.size())};
  std::size_t left = first.size() + second.size() + third.size();
  while (left > 0) {
    begin_wait();
    const auto [error, count] = co_await socket_.async_write_some(buffers, kAwait);
    end_wait(count);
    if (error) {
      dead_ = true;
      co_return false;
    }
    left -= count;
    std::size_t skip = count;
    for (auto& buffer : buffers) {
      const std::size_t part = std::min(skip, buffer.size());
      buffer += part;
      skip -= part;
    }
  }
  co_return true;
}

Task<> ServerConnection::drain(Body* body) {
  boost::system::error_code ignored;
  socket_.shutdown(net::ip::tcp::socket::shutdown_send, ignored);
  arm(context_.watchdog.clock().steady_now() + context_.limits.drain_timeout);
  phase_ = Phase::head;  // the drain has one deadline, however much moves
  std::uint64_t drained = 0;
  buffer_.consume(buffer_.size());
  if (body != nullptr) buffer_.reserve(kPieceBytes);
  while (drained < context_.limits.drain_bytes_max) {
    buffer_.consume(buffer_.size());
    const bool more = co_await read_more(body != nullptr ? kPieceBytes / 2 : kHeadReadBytes);
    if (!more) break;
    drained += buffer_.size();
  }
}

}  // namespace offpeak::http
