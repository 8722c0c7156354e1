#include "platform/http/server.h"

#include <gmock/gmock.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <future>

#include "platform/http/client.h"
#include "platform/http/watchdog.h"

namespace offpeak::http {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

/// Answers "METHOD target body-bytes", or early (without reading the body) on /early.
class Echo final : public Handler {
 public:
  Task<Response> handle(Request& request, RequestBody& body) override {
    std::size_t bytes = 0;
    if (request.path() == "/early") co_return Response{.status = 413, .body = std::string("no")};
    while (true) {
      const auto piece = co_await body.read();
      if (!piece || piece->empty()) break;
      bytes += piece->size();
    }
    Response response;
    response.headers.push_back({"x-request-id", request.id});
    response.body = request.method + " " + request.target + " " + std::to_string(bytes);
    co_return response;
  }
  Response refuse(const Error& error, std::string_view) override {
    return {.status = error.kind == ErrorKind::too_large ? 431 : 400, .body = error.message};
  }
};

class ServerTest : public testing::Test {
 protected:
  ServerTest() {
    loop.start();
    std::promise<std::string> bound;
    loop.post([&] { bound.set_value(server.listen("127.0.0.1", 0).value()); });
    const std::string text = bound.get_future().get();
    port = static_cast<std::uint16_t>(std::stoi(text.substr(text.rfind(':') + 1)));
  }
  ~ServerTest() override { loop.stop(); }

  /// Sends raw bytes and returns everything until the server closes.
  std::string talk(const std::string& bytes) {
    namespace net = boost::asio;
    net::io_context context;
    net::ip::tcp::socket socket(context);
    socket.connect({net::ip::make_address("127.0.0.1"), port});
    boost::system::error_code error;
    net::write(socket, net::buffer(bytes), error);
    std::string answer;
    net::read(socket, net::dynamic_buffer(answer), error);
    return answer;
  }

  ClientResult exchange(const std::string& request) {
    std::promise<ClientResult> done;
    Watchdog watchdog(clock);
    auto tls = make_tls_context();
    ClientContext context{loop, watchdog, *tls};
    auto connection =
        std::make_unique<ClientConnection>(context, Endpoint{.host = "127.0.0.1", .port = port});
    struct Body {
      static Task<> run(ClientConnection& on, std::string_view text, SteadyTime deadline,
                        std::promise<ClientResult>& out) {
        const std::array<std::string_view, 1> pieces = {text};
        auto result = co_await on.exchange(pieces, deadline);
        out.set_value(std::move(result));
      }
    };
    loop.spawn(
        Body::run(*connection, request, clock.steady_now() + std::chrono::seconds(20), done));
    auto result = done.get_future().get();
    std::promise<void> destroyed;
    loop.post([&] {
      connection.reset();
      destroyed.set_value();
    });
    destroyed.get_future().get();
    return result;
  }

  SystemClock clock;
  SystemRandom random;
  Echo echo;
  EventLoop loop{"http-test"};
  Server server{loop, echo, clock, random, {}};
  std::uint16_t port = 0;
};

const std::string kClose = "Host: x\r\nConnection: close\r\n";

TEST_F(ServerTest, ServesPipelinedRequestsInOrder) {
  const auto answer = talk(
      "GET /a HTTP/1.1\r\nHost: x\r\n\r\nPOST /b HTTP/1.1\r\nHost: x\r\n"
      "Content-Length: 3\r\n\r\nabcGET /c?d HTTP/1.1\r\n" +
      kClose + "\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("GET /a 0"));
  EXPECT_THAT(answer, HasSubstr("POST /b 3"));
  EXPECT_THAT(answer, HasSubstr("GET /c?d 0"));
}

TEST_F(ServerTest, ReadsChunkedBodiesAndAnswersExpectContinue) {
  const auto answer = talk("POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" + kClose +
                           "\r\n3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("POST /a 7"));
}

TEST_F(ServerTest, RefusesABadHeadAndNeverAnswersWhatFollows) {
  for (const std::string head : {"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
                                 "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n"
                                 "Transfer-Encoding: chunked\r\n\r\n",
                                 "GET / HTTP/1.1\nHost: x\n\n"}) {
    const auto answer = talk(head + "GET /poison HTTP/1.1\r\n" + kClose + "\r\n");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 400 Bad Request\r\n")) << head;
    EXPECT_THAT(answer, testing::Not(HasSubstr("poison"))) << head;
  }
}

TEST_F(ServerTest, RefusesAHeadThatDoesNotEnd) {
  EXPECT_THAT(talk("GET / HTTP/1.1\r\nX: " + std::string(70'000, 'a')), StartsWith("HTTP/1.1 431"));
}

TEST_F(ServerTest, AnEarlyAnswerArrivesAlthoughTheBodyIsUnread) {
  const auto answer = talk("POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: 20000000\r\n\r\n" +
                           std::string(20'000'000, 'b'));
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 413"));
}

TEST_F(ServerTest, HeadHasNoBody) {
  const auto answer = talk("HEAD /a HTTP/1.1\r\n" + kClose + "\r\n");
  EXPECT_THAT(answer, HasSubstr("content-length: 9\r\n"));
  EXPECT_THAT(answer, testing::EndsWith("\r\n\r\n"));
}

TEST_F(ServerTest, TheClientTalksToIt) {
  const auto result = exchange("POST /up HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi");
  ASSERT_TRUE(std::holds_alternative<ClientReply>(result))
      << std::get<ClientFailure>(result).detail;
  EXPECT_EQ(std::get<ClientReply>(result).status, 200);
  EXPECT_EQ(std::get<ClientReply>(result).body, "POST /up 2");
  EXPECT_THAT(std::get<ClientReply>(result).request_id, StartsWith("req_"));
}

TEST_F(ServerTest, ARefusedConnectionIsAConnectFailure) {
  std::promise<void> closed;
  server.stop_accepting();
  loop.post([&] { closed.set_value(); });
  closed.get_future().get();
  const auto result = exchange("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(std::holds_alternative<ClientFailure>(result));
  EXPECT_EQ(std::get<ClientFailure>(result).kind, ClientFailureKind::connect);
}

}  // namespace
}  // namespace offpeak::http
