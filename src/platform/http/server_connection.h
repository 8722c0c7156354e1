// One client connection of the server: a loop of read request, let it be handled, write response.
#pragma once

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "platform/http/message.h"
#include "platform/http/server.h"
#include "platform/http/watchdog.h"

namespace offpeak::http {

using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, Executor>;

/// What all connections of a server share; outlives them.
struct ConnectionContext {
  Handler& handler;
  Random& random;
  Watchdog& watchdog;
  const ServerLimits& limits;
  const bool& stopping;
};

class ServerConnection final : public Watched {
 public:
  ServerConnection(Socket socket, const ConnectionContext& context);

  /// Serves until either side closes.
  Task<> run();
  /// Ends the connection at once if it waits between two requests; else after the current response.
  void stop();

 private:
  class Body;
  using Parser = boost::beast::http::request_parser<boost::beast::http::buffer_body>;
  enum class Phase { idle, head, exchange };
  /// How a response has to go out.
  struct Form {
    bool head_only = false;
    bool keep_alive = true;
    bool chunks = true;  // HTTP/1.0 knows none: the end of the connection is the body's
  };
  struct Watch {
    ServerConnection* connection;
    std::function<void()> gone;
  };

  Task<bool> serve_one();
  /// Reads until a whole head is buffered; its length, or 0 when the connection is to be closed.
  Task<std::size_t> read_head();
  Task<bool> read_more(std::size_t bytes);
  Task<> refuse(Error error, std::string id);
  bool parse(std::size_t head_bytes, Parser& parser, Request& request);
  Task<bool> respond(Response response, Form form);
  Task<bool> write_stream(ResponseStream& stream, std::string head, bool chunked);
  Task<bool> write(std::string_view first, std::string_view second = {},
                   std::string_view third = {});
  /// Reads and discards what the client still sends, within limits; then half-closes.
  Task<> drain(Body* body);
  void on_expired() override;
  /// Around each wait for the client; what it has moved is judged over waits, not over time.
  void begin_wait();
  void end_wait(std::size_t bytes);
  void new_window();
  /// Calls `gone` once the client has closed; what it sends meanwhile is kept for later.
  void watch_client(std::function<void()> gone);
  void wait_for_client();
  void look_at_client();
  void end_watch();

  Socket socket_;
  const ConnectionContext& context_;
  boost::beast::flat_buffer buffer_;
  Phase phase_ = Phase::idle;
  std::uint64_t moved_ = 0;  // bytes since the stall window began
  SteadyTime::duration waited_{};
  SteadyTime wait_began_{};
  bool dead_ = false;
  // Shared with a wait that may outlive the connection.
  std::shared_ptr<Watch> watch_;
};

}  // namespace offpeak::http
