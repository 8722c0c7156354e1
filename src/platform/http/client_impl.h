// Inside of ClientConnection, shared by client.cc and client_stream.cc only.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <optional>

#include "platform/http/client.h"
#include "platform/http/watchdog.h"

namespace offpeak::http {

class TlsContext {
 public:
  TlsContext();
  boost::asio::ssl::context ssl;
};

struct ClientConnection::Impl final : Watched {
  using error_code = boost::system::error_code;
  using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, Executor>;
  using TlsStream = boost::asio::ssl::stream<Socket&>;
  using Resolver = boost::asio::ip::basic_resolver<boost::asio::ip::tcp, Executor>;
  using Parser = boost::beast::http::response_parser<boost::beast::http::string_body>;
  using StreamParser = boost::beast::http::response_parser<boost::beast::http::buffer_body>;
  using HeadResult = std::expected<ClientHead, ClientFailure>;

  static constexpr auto kAwait = boost::asio::as_tuple(use_task);
  static constexpr std::size_t kReadBytes = 16 * 1024;

  Impl(const ClientContext& with, const Endpoint& to)
      : Watched(with.watchdog), context(with), endpoint(to), socket(with.loop.executor()) {}

  void on_expired() override;
  void close();
  /// For a new request. Whether the connection is the one of the last request.
  bool begin(SteadyTime by);

  Task<error_code> connect();
  Task<error_code> send(std::span<const std::string_view> request);
  Task<error_code> read_head(Parser& parser);
  Task<error_code> read_body(Parser& parser);
  /// nullopt: a kept-alive connection was closed under us, nothing came back; try a new one.
  Task<std::optional<ClientResult>> try_once(std::span<const std::string_view> request,
                                             bool reused);
  /// Likewise.
  Task<std::optional<HeadResult>> open_once(std::span<const std::string_view> request, bool reused);
  Task<error_code> open_stream();
  /// Whether an idle connection has ended meanwhile.
  bool is_stale();
  /// Gives the stream's parser what is buffered.
  error_code parse_buffered();
  Task<error_code> fill_buffer();
  error_code take_end();
  void finish_stream();

  ClientFailure connect_failure(const error_code& error) const;
  ClientFailure failure(const error_code& error) const;

  ClientContext context;
  Endpoint endpoint;
  Socket socket;
  std::optional<Resolver> resolver;
  std::optional<TlsStream> tls;
  boost::beast::flat_buffer buffer;
  std::optional<StreamParser> stream;  // of the reply that read() reads
  SteadyTime deadline{};
  bool usable = false;   // connected, and the last exchange left it in order
  bool in_body = false;  // read() has not come to the reply's end
  bool unsent = false;   // the server answered before it had taken the whole request
  bool timed_out = false;
  bool aborted = false;
  bool got_bytes = false;  // of the current reply
};

}  // namespace offpeak::http
