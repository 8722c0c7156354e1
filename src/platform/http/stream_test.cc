// Bodies that are made while they are sent, on both sides; clients that leave or stall.
#include <gmock/gmock.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <future>
#include <list>
#include <semaphore>

#include "platform/async/wait_list.h"
#include "platform/http/client.h"
#include "platform/http/server.h"
#include "platform/http/watchdog.h"

namespace offpeak::http {
namespace {

namespace net = boost::asio;
using namespace std::chrono_literals;
using testing::HasSubstr;

/// "one" at once, "two" when the gate opens.
class Gated final : public ResponseStream {
 public:
  Gated(WaitList& gate, std::optional<std::uint64_t> length, std::promise<void>* destroyed)
      : gate_(gate), length_(length), destroyed_(destroyed) {}
  ~Gated() override {
    if (destroyed_ != nullptr) destroyed_->set_value();
  }
  std::optional<std::uint64_t> length() const override { return length_; }
  Task<Result<std::string_view>> next() override {
    if (++calls_ == 1) co_return "one";
    if (calls_ > 2) co_return "";
    co_await gate_.wait();
    co_return "two";
  }

 private:
  WaitList& gate_;
  std::optional<std::uint64_t> length_;
  std::promise<void>* destroyed_;
  int calls_ = 0;
};

/// Never ends.
class Endless final : public ResponseStream {
 public:
  explicit Endless(std::promise<void>& destroyed) : destroyed_(destroyed) {}
  ~Endless() override { destroyed_.set_value(); }
  std::optional<std::uint64_t> length() const override { return std::nullopt; }
  Task<Result<std::string_view>> next() override { co_return bytes_; }

 private:
  std::promise<void>& destroyed_;
  std::string bytes_ = std::string(100'000, 'x');
};

class Scripted final : public Handler {
 public:
  Task<Response> handle(Request& request, RequestBody& body) override {
    while (true) {
      const auto piece = co_await body.read();
      if (!piece || piece->empty()) break;
      received.release();
    }
    const std::string path(request.path());
    if (path == "/plain") co_return Response{.status = 201, .headers = {}, .body = "plain"};
    if (path == "/wait") {
      body.when_gone([this] {
        gone.set_value();
        gate.release_all();
      });
      waiting.release();
      co_await gate.wait();
      co_return Response{.status = 202, .headers = {}, .body = "waited"};
    }
    if (path == "/endless") {
      Response endless;
      endless.body = std::make_unique<Endless>(destroyed);
      co_return endless;
    }
    const auto length = path == "/length" ? std::optional<std::uint64_t>(6) : std::nullopt;
    if (watch) body.when_gone([this] { gate.release_all(); });
    Response response;
    response.body = std::make_unique<Gated>(gate, length, watch ? &destroyed : nullptr);
    co_return response;
  }
  Response refuse(const Error& error, std::string_view) override {
    return {.status = 400, .headers = {}, .body = error.message};
  }

  WaitList gate;
  std::counting_semaphore<> received{0};  // pieces of bodies
  std::counting_semaphore<> waiting{0};   // handlers of /wait that have got so far
  std::promise<void> gone;
  std::promise<void> destroyed;  // a stream: the endless one, and with `watch` the others
  bool watch = false;
};

class StreamTest : public testing::Test {
 protected:
  StreamTest() {
    loop.start();
    const auto bound = on_loop([&] { return server.listen("127.0.0.1", 0).value(); });
    port = static_cast<std::uint16_t>(std::stoi(bound.substr(bound.rfind(':') + 1)));
    on_loop([&] {
      connection =
          std::make_unique<ClientConnection>(context, Endpoint{.host = "127.0.0.1", .port = port});
      return 0;
    });
  }
  ~StreamTest() override {
    on_loop([&] {
      connection.reset();
      return 0;
    });
    loop.stop();
  }

  template <class Function>
  std::invoke_result_t<Function> on_loop(Function function) {
    std::promise<std::invoke_result_t<Function>> done;
    loop.post([&] { done.set_value(function()); });
    return done.get_future().get();
  }
  template <class T>
  static Task<> carry(Task<T> task, std::promise<T>& out) {
    auto value = co_await std::move(task);
    out.set_value(std::move(value));
  }
  template <class T>
  std::future<T> begin(Task<T> task) {
    auto& out = promises<T>().emplace_back();
    loop.spawn(carry(std::move(task), out));
    return out.get_future();
  }
  template <class T>
  std::list<std::promise<T>>& promises() {
    static std::list<std::promise<T>> all;
    return all;
  }

  std::expected<ClientHead, ClientFailure> open(const std::string& path) {
    request = "POST " + path + " HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi";
    pieces = {request};
    return begin(connection->open(pieces, clock.steady_now() + 20s)).get();
  }
  auto begin_read() { return begin(connection->read(into, clock.steady_now() + 20s)); }
  std::string read() {
    const auto count = begin_read().get();
    return count ? std::string(into.data(), *count) : "failed: " + count.error().detail;
  }
  void open_gate() {
    loop.post([&] { handler.gate.release_all(); });
  }
  bool reusable() {
    return on_loop([&] { return connection->reusable(); });
  }

  /// A socket whose reads give up after five seconds.
  net::ip::tcp::socket connect() {
    net::ip::tcp::socket socket(context_of_sockets);
    socket.connect({net::ip::make_address("127.0.0.1"), port});
    const timeval patience{.tv_sec = 5, .tv_usec = 0};
    ::setsockopt(socket.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return socket;
  }
  static std::string read_some(net::ip::tcp::socket& socket) {
    std::array<char, 4096> bytes{};
    const auto count = ::recv(socket.native_handle(), bytes.data(), bytes.size(), 0);
    if (count < 0) return errno == EAGAIN ? "nothing" : "reset";
    return {bytes.data(), static_cast<std::size_t>(count)};
  }
  static void send(net::ip::tcp::socket& socket, std::string_view bytes) {
    net::write(socket, net::buffer(bytes));
  }

  ManualClock clock{std::chrono::sys_days(std::chrono::year(2026) / 1 / 1)};
  SystemRandom random;
  EventLoop loop{"stream-test"};
  Scripted handler;  // what it holds back belongs to the loop
  Server server{loop, handler, clock, random, {}};
  Watchdog watchdog{clock};
  std::unique_ptr<TlsContext, void (*)(TlsContext*)> tls = make_tls_context();
  ClientContext context{loop, watchdog, *tls};
  std::unique_ptr<ClientConnection> connection;
  net::io_context context_of_sockets;
  std::uint16_t port = 0;
  std::string request;
  std::array<std::string_view, 1> pieces;
  std::array<char, 1024> into{};
};

TEST_F(StreamTest, PiecesArriveWhenTheyAreMade) {
  for (const std::string path : {"/chunked", "/length"}) {
    const auto head = open(path);
    ASSERT_TRUE(head) << head.error().detail;
    EXPECT_EQ(head->status, 200);
    EXPECT_EQ(head->content_length.has_value(), path == "/length");
    EXPECT_EQ(read(), "one");
    EXPECT_FALSE(reusable());
    auto second = begin_read();
    open_gate();
    ASSERT_EQ(second.get().value(), 3u);
    EXPECT_EQ(std::string(into.data(), 3), "two");
    EXPECT_EQ(read(), "");
    EXPECT_TRUE(reusable());
  }
  EXPECT_EQ(on_loop([&] { return server.connections(); }), 1u);
}

TEST_F(StreamTest, ABodyThatWasNotReadToItsEndIsNeverTakenForTheNextAnswer) {
  ASSERT_TRUE(open("/length"));
  EXPECT_EQ(read(), "one");
  const auto head = open("/plain");
  ASSERT_TRUE(head) << head.error().detail;
  EXPECT_EQ(head->status, 201);
  EXPECT_EQ(read(), "plain");
  EXPECT_EQ(read(), "");
}

TEST_F(StreamTest, AbortEndsAReadAndTheServerSeesTheClientGo) {
  handler.watch = true;
  ASSERT_TRUE(open("/chunked"));
  EXPECT_EQ(read(), "one");
  auto second = begin_read();
  loop.post([&] { connection->abort(); });
  EXPECT_FALSE(second.get());
  EXPECT_FALSE(reusable());
  EXPECT_EQ(handler.destroyed.get_future().wait_for(5s), std::future_status::ready);
  EXPECT_EQ(open("/plain")->status, 201);
}

TEST_F(StreamTest, AReadEndsAtItsDeadline) {
  loop.spawn(watchdog.run(loop));
  ASSERT_TRUE(open("/chunked"));
  EXPECT_EQ(read(), "one");
  auto second = begin_read();
  clock.advance(21s);
  const auto count = second.get();
  ASSERT_FALSE(count);
  EXPECT_EQ(count.error().kind, ClientFailureKind::timeout);
  EXPECT_FALSE(reusable());
}

TEST_F(StreamTest, AHandlerLearnsThatItsClientHasGone) {
  auto socket = connect();
  send(socket, "POST /wait HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi");
  handler.waiting.acquire();
  socket.close();
  EXPECT_EQ(handler.gone.get_future().wait_for(5s), std::future_status::ready);
}

TEST_F(StreamTest, WhatIsSentAheadIsServedNext) {
  auto socket = connect();
  const std::string one = "POST /wait HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n";
  send(socket, one);
  handler.waiting.acquire();
  send(socket, "POST /plain HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\na");
  open_gate();
  EXPECT_THAT(read_some(socket), HasSubstr("202"));
  send(socket, "bc" + one);
  EXPECT_THAT(read_some(socket), HasSubstr("201"));
  handler.waiting.acquire();
  open_gate();
  EXPECT_THAT(read_some(socket), HasSubstr("202"));
  EXPECT_EQ(handler.gone.get_future().wait_for(0s), std::future_status::timeout);
}

TEST_F(StreamTest, ABodyThatTricklesIsCut) {
  auto socket = connect();
  send(socket, "POST /plain HTTP/1.1\r\nHost: x\r\nContent-Length: 9000\r\n\r\n");
  for (int i = 0; i < 3; ++i) {
    send(socket, "x");
    handler.received.acquire();
    clock.advance(9s);
  }
  clock.advance(5s);
  EXPECT_THAT(read_some(socket), testing::AnyOf("", "reset"));
}

TEST_F(StreamTest, ABodyThatMovesMayTakeLong) {
  auto socket = connect();
  send(socket, "POST /plain HTTP/1.1\r\nHost: x\r\nContent-Length: 12288\r\n\r\n");
  for (int i = 0; i < 12; ++i) {
    send(socket, std::string(1024, 'x'));
    handler.received.acquire();
    clock.advance(9s);
  }
  EXPECT_THAT(read_some(socket), HasSubstr("201"));
}

TEST_F(StreamTest, AReaderThatStandsStillIsCut) {
  auto socket = connect();
  send(socket, "POST /endless HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
  auto cut = handler.destroyed.get_future();
  // What the kernel buffers moves; after that nothing does.
  for (int i = 0; i < 100 && cut.wait_for(0s) != std::future_status::ready; ++i) {
    clock.advance(31s);
    cut.wait_for(2 * Watchdog::kSweepInterval);
  }
  EXPECT_EQ(cut.wait_for(0s), std::future_status::ready);
}

TEST_F(StreamTest, Http10GetsNoChunks) {
  auto socket = connect();
  send(socket, "POST /chunked HTTP/1.0\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
  EXPECT_THAT(read_some(socket), HasSubstr("connection: close\r\n\r\n"));
}

}  // namespace
}  // namespace offpeak::http
