#include "platform/http/server_connection.h"

#include <fmt/format.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/read.hpp>
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
/// A body or a reader that moves less than this in one stall window is cut.
constexpr std::uint64_t kStallBytesMin = 1024;
/// A body left unread that is no longer than this is read over before the answer is written.
constexpr std::uint64_t kSmallRest = 64 * 1024;

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
        expects_continue_(iequals(request.header("expect"), "100-continue")) {}

  bool done() const { return parser_.is_done(); }
  bool wants_continue() const { return expects_continue_; }
  std::optional<std::uint64_t> remaining() const {
    const auto left = parser_.content_length_remaining();
    return left ? std::optional(*left) : std::nullopt;
  }

  Task<Result<std::string_view>> read() override {
    if (parser_.is_done()) co_return std::string_view();
    if (std::exchange(expects_continue_, false) && connection_.buffer_.size() == 0) {
      co_await connection_.write("HTTP/1.1 100 Continue\r\n\r\n");
    }
    prepare();
    connection_.arm_stall();
    auto& target = parser_.get().body();
    while (true) {
      target.data = piece_.data();
      target.size = piece_.size();
      auto [error, count] = co_await beast::async_read_some(connection_.socket_,
                                                            connection_.buffer_, parser_, kAwait);
      if (error == beast::error::need_buffer) error = {};
      connection_.moved(count);
      const std::size_t filled = piece_.size() - target.size;
      if (error) {
        connection_.dead_ = true;
        co_return fail(ErrorKind::invalid_request,
                       "The request's body broke off or is not framed as HTTP requires.");
      }
      if (filled > 0 || parser_.is_done()) co_return std::string_view(piece_.data(), filled);
    }
  }

 private:
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
  if (phase_ == Phase::exchange && moved_ >= kStallBytesMin) {
    arm_stall();
    return;
  }
  boost::system::error_code ignored;
  socket_.close(ignored);
}

void ServerConnection::arm_stall() {
  moved_ = 0;
  arm(context_.watchdog.clock().steady_now() + context_.limits.stall_timeout);
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
  disarm();
  const auto rest = body.remaining();
  if (!body.done() && !body.wants_continue() && rest && *rest <= kSmallRest) {
    while (!body.done() && !dead_) co_await body.read();
  }
  const bool keep_alive = parser.keep_alive() && body.done() && !context_.stopping;
  const bool written = co_await respond(std::move(response), request.method == "HEAD", keep_alive);
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
  const bool written = co_await respond(std::move(response), false, false);
  if (written) co_await drain(nullptr);
}

Task<bool> ServerConnection::respond(Response response, bool head_only, bool keep_alive) {
  std::string head = fmt::format("HTTP/1.1 {} {}\r\n", response.status, reason_of(response.status));
  for (const auto& header : response.headers) {
    fmt::format_to(std::back_inserter(head), "{}: {}\r\n", header.name, header.value);
  }
  if (!keep_alive) head += "connection: close\r\n";
  arm_stall();
  if (auto* const text = std::get_if<std::string>(&response.body)) {
    fmt::format_to(std::back_inserter(head), "content-length: {}\r\n\r\n", text->size());
    co_return co_await write(head, head_only ? std::string_view() : *text);
  }
  auto& stream = *std::get<std::unique_ptr<ResponseStream>>(response.body);
  if (const auto length = stream.length()) {
    fmt::format_to(std::back_inserter(head), "content-length: {}\r\n\r\n", *length);
  } else {
    head += "transfer-encoding: chunked\r\n\r\n";
  }
  if (head_only) co_return co_await write(head);
  co_return co_await write_stream(stream, std::move(head));
}

Task<bool> ServerConnection::write_stream(ResponseStream& stream, std::string head) {
  const bool chunked = !stream.length();
  while (true) {
    const auto piece = co_await stream.next();
    if (!piece) co_return false;
    arm_stall();
    if (piece->empty()) co_return co_await write(head, chunked ? "0\r\n\r\n" : "");
    if (chunked) fmt::format_to(std::back_inserter(head), "{:x}\r\n", piece->size());
    const bool written = co_await write(head, *piece, chunked ? "\r\n" : "");
    if (!written) co_return false;
    head.clear();
    disarm();
  }
}

Task<bool> ServerConnection::write(std::string_view first, std::string_view second,
                                   std::string_view third) {
  std::array<net::const_buffer, 3> buffers = {net::const_buffer(first.data(), first.size()),
                                              net::const_buffer(second.data(), second.size()),
                                              net::const_buffer(third.data(), third.size())};
  std::size_t left = first.size() + second.size() + third.size();
  while (left > 0) {
    const auto [error, count] = co_await socket_.async_write_some(buffers, kAwait);
    if (error) {
      dead_ = true;
      co_return false;
    }
    moved(count);
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
