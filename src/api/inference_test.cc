// Synchronous calls beside batches, on the whole server.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <unistd.h>

#include <future>

#include "testing/server_fixture.h"

namespace offpeak {
namespace {

using testing::HasSubstr;

constexpr const char* kChat = "/v1/chat/completions";
constexpr const char* kBody = R"({"model":"small-model","messages":[]})";

class InferenceTest : public ServerFixture {
 protected:
  static UpstreamAnswer held(const UpstreamCall&) { return {.held = true}; }
  /// In a thread of its own, since the answer may be held back.
  std::future<TestReply> begin_call(std::string body = kBody) {
    return std::async(std::launch::async, [client = client(), body = std::move(body)] {
      return client.call("POST", kChat, body, {{"Content-Type", "application/json"}});
    });
  }
  InteractiveLoad::Figures figures(UpstreamIndex index = 0) const {
    return server->interactive().figures(index);
  }
  bool in_progress(std::size_t calls) {
    return eventually([&] { return upstream.in_progress() == calls; });
  }
};

TEST_F(InferenceTest, BatchesGetWhatSynchronousCallsLeave) {
  upstream.script(held);
  start();
  auto call = begin_call();
  ASSERT_TRUE(in_progress(1));
  const auto batch = run_rows(4);
  ASSERT_TRUE(in_progress(2));
  for (int i = 0; i < 20; ++i) server->tick();
  EXPECT_EQ(upstream.most_in_progress(), kSlots);
  upstream.open_gate();
  EXPECT_EQ(call.get().status, 200);
  EXPECT_TRUE(reaches(batch, "completed"));
  EXPECT_EQ(counts(batch), (ShownCounts{4, 4, 0}));
  EXPECT_EQ(figures().answered, 1);
  EXPECT_EQ(figures().in_flight, 0);
}

TEST_F(InferenceTest, SynchronousCallsWaitForNoRow) {
  upstream.script(held);
  start();
  const auto batch = run_rows(4);
  ASSERT_TRUE(in_progress(kSlots));
  auto first = begin_call();
  auto second = begin_call();
  ASSERT_TRUE(in_progress(kSlots + 2));
  EXPECT_EQ(figures().in_flight, 2);
  // The two rows end, and no others take their slots while the calls last.
  upstream.script([](const UpstreamCall&) { return UpstreamAnswer{}; });
  upstream.open_gate();
  EXPECT_EQ(first.get().status, 200);
  EXPECT_EQ(second.get().status, 200);
  EXPECT_TRUE(reaches(batch, "completed"));
}

TEST_F(InferenceTest, AClientThatLeavesIsCountedApart) {
  upstream.script(held);
  start();
  const int client = ::socket(AF_INET, SOCK_STREAM, 0);
  const sockaddr_in address{.sin_family = AF_INET,
                            .sin_port = htons(server->port()),
                            .sin_addr = {htonl(INADDR_LOOPBACK)},
                            .sin_zero = {}};
  ASSERT_EQ(::connect(client, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  const std::string request =
      "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + key +
      "\r\nContent-Length: 37\r\n\r\n" + kBody;
  ASSERT_EQ(::send(client, request.data(), request.size(), 0), request.size());
  ASSERT_TRUE(in_progress(1));
  ::close(client);
  EXPECT_TRUE(eventually([&] { return figures().cancelled == 1; }));
  EXPECT_EQ(figures().in_flight, 0);
  EXPECT_EQ(figures().failed, 0);
}

TEST_F(InferenceTest, AnUpstreamThatIsDownIsPassedOver) {
  ScriptedUpstream other(stores.clock);
  options.upstreams = {upstream.settings(std::string(kModel), 2),
                       other.settings(std::string(kModel), 2)};
  start();
  upstream.stop();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(begin_call().get().status, 200);
  EXPECT_EQ(other.call_count(), 3);
  EXPECT_EQ(figures(0).failed, 1);
  EXPECT_EQ(figures(1).answered, 3);
  other.stop();
  const auto reply = begin_call().get();
  EXPECT_EQ(reply.status, 503);
  EXPECT_EQ(reply.header("retry-after"), "2");
  EXPECT_THAT(reply.body, HasSubstr("small-model"));
  upstream.start();
  EXPECT_EQ(begin_call().get().status, 200);
}

TEST_F(InferenceTest, ACrashWithCallsUnderWayLeavesNothingBehind) {
  upstream.script(held);
  start();
  auto call = begin_call();
  ASSERT_TRUE(in_progress(1));
  crash();
  EXPECT_EQ(call.get().status, 0);
  start();
  upstream.open_gate();
  EXPECT_EQ(begin_call().get().status, 200);
}

}  // namespace
}  // namespace offpeak
