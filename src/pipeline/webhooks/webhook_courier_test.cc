#include "pipeline/webhooks/webhook_courier.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <future>
#include <map>
#include <optional>
#include <set>
#include <thread>

#include "core/webhook/event.h"
#include "pipeline/webhooks/webhook_fixture.h"
#include "platform/crypto/webhook_signature.h"

namespace offpeak {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

class WebhookCourierTest : public WebhookTest {
 protected:
  ~WebhookCourierTest() override { courier.reset(); }

  void start(std::size_t senders = 8) {
    courier.emplace(WebhookWorld{meta, clock, random, box, sender},
                    CourierSettings{.senders = senders, .poll = 1ms});
    courier->start();
  }
  static bool eventually(const std::function<bool()>& condition) {
    std::mutex mutex;
    std::condition_variable never;
    std::unique_lock lock(mutex);
    for (int i = 0; i < 30'000; ++i) {
      if (condition()) return true;
      never.wait_for(lock, 1ms);
    }
    return false;
  }
  bool sent(std::size_t count) {
    return eventually([&] { return sender.sent().size() >= count; });
  }
  /// The courier has looked at everything that is due and written down what came of it.
  bool idle() {
    return eventually([&] { return meta.due_deliveries(clock.unix_now(), 1, 1).value().empty(); });
  }
  WebhookDelivery only(const WebhookEndpointId& endpoint) {
    const auto all = deliveries(endpoint);
    EXPECT_EQ(all.size(), 1u);
    return all.at(0);
  }
  void answer(int status) {
    sender.script([status](const WebhookRequest&) { return WebhookReply{.status = status}; });
  }
  void expect_signed(const WebhookRequest& request, const std::string& secret, UnixSeconds at) {
    EXPECT_EQ(header_of(request, "webhook-timestamp"),
              std::to_string(at.time_since_epoch().count()));
    EXPECT_EQ(
        header_of(request, "webhook-signature"),
        webhook_signature(secret, signed_text(header_of(request, "webhook-id"), at, request.body)));
  }

  std::optional<WebhookCourier> courier;
};

TEST_F(WebhookCourierTest, DeliversASignedEvent) {
  const auto made = make_endpoint();
  start();
  end_batch("1");
  ASSERT_TRUE(idle());
  ASSERT_EQ(sender.sent().size(), 1u);
  const auto request = sender.sent()[0];
  EXPECT_EQ(request.url, made.endpoint.url);
  EXPECT_EQ(request.body, R"({"id":"evt_1","object":"event","type":"batch.completed",)"
                          R"("created_at":1767225600,"data":{"id":"batch_1"}})");
  EXPECT_EQ(header_of(request, "webhook-id"), "wh_1");
  expect_signed(request, made.secret, clock.unix_now());
  const auto delivery = only(made.endpoint.id);
  EXPECT_EQ(delivery.state, DeliveryState::delivered);
  const auto log = meta.attempts(kMine, delivery.id).value();
  ASSERT_EQ(log.size(), 1u);
  EXPECT_EQ(log[0].status, 200);
}

TEST_F(WebhookCourierTest, EachEndpointGetsWhatItAskedFor) {
  make_endpoint("https://both.example/");
  make_endpoint("https://failed.example/", {"batch.failed"});
  make_endpoint("https://expired.example/", {"batch.expired"});
  end_batch("1");
  end_batch("2", BatchStatus::failed);
  start();
  ASSERT_TRUE(idle());
  std::multiset<std::string> urls;
  for (const auto& request : sender.sent()) urls.insert(request.url);
  EXPECT_THAT(urls, ElementsAre("https://both.example/", "https://both.example/",
                                "https://failed.example/"));
}

TEST_F(WebhookCourierTest, ARedeliveryHasTheSameIdAndAFreshTimestamp) {
  const auto made = make_endpoint();
  answer(500);
  start();
  end_batch("1");
  ASSERT_TRUE(idle());
  const UnixSeconds first = clock.unix_now();
  EXPECT_EQ(only(made.endpoint.id).attempts, 1u);
  clock.advance(3s);
  ASSERT_TRUE(idle());
  EXPECT_EQ(sender.sent().size(), 1u) << "too early";
  answer(204);
  clock.advance(4s);
  ASSERT_TRUE(idle());
  const auto all = sender.sent();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(header_of(all[0], "webhook-id"), header_of(all[1], "webhook-id"));
  EXPECT_EQ(all[0].body, all[1].body);
  expect_signed(all[0], made.secret, first);
  expect_signed(all[1], made.secret, first + 7s);
  EXPECT_EQ(only(made.endpoint.id).state, DeliveryState::delivered);
}

TEST_F(WebhookCourierTest, TriesForThreeDaysAndGivesUp) {
  const auto made = make_endpoint();
  sender.script([](const WebhookRequest&) { return WebhookReply{.error = "no connection"}; });
  start();
  end_batch("1");
  const UnixSeconds event = clock.unix_now();
  while (true) {
    ASSERT_TRUE(idle());
    const auto delivery = only(made.endpoint.id);
    if (delivery.state != DeliveryState::pending) break;
    clock.advance(delivery.next_attempt_at - clock.unix_now());
  }
  EXPECT_EQ(only(made.endpoint.id).state, DeliveryState::given_up);
  EXPECT_EQ(sender.sent().size(), 10u);
  EXPECT_GT(clock.unix_now(), event + 56h);
  EXPECT_LT(clock.unix_now(), event + 88h);
  const auto log = meta.attempts(kMine, only(made.endpoint.id).id).value();
  EXPECT_EQ(log.size(), 10u);
  EXPECT_EQ(log[0].error, "no connection");
}

TEST_F(WebhookCourierTest, ARestartGoesOnWhereItWas) {
  const auto made = make_endpoint();
  answer(503);
  start();
  end_batch("1");
  ASSERT_TRUE(idle());
  courier.reset();
  end_batch("2");
  clock.advance(10s);
  ScriptedSender fresh;
  courier.emplace(WebhookWorld{meta, clock, random, box, fresh},
                  CourierSettings{.senders = 1, .poll = 1ms});
  courier->start();
  ASSERT_TRUE(idle());
  std::set<std::string> ids;
  for (const auto& request : fresh.sent()) ids.insert(header_of(request, "webhook-id"));
  EXPECT_THAT(ids, ElementsAre("wh_1", "wh_2"));
  courier.reset();
}

TEST_F(WebhookCourierTest, WhatWasUnderWayWhenItStoppedIsSentAgain) {
  const auto made = make_endpoint();
  sender.script([](const WebhookRequest&) { return WebhookReply{.interrupted = true}; });
  start();
  end_batch("1");
  ASSERT_TRUE(sent(1));
  courier.reset();
  const auto delivery = only(made.endpoint.id);
  EXPECT_EQ(delivery.state, DeliveryState::pending);
  EXPECT_EQ(delivery.attempts, 0u);
  EXPECT_TRUE(meta.attempts(kMine, delivery.id).value().empty());
}

TEST_F(WebhookCourierTest, ASlowEndpointDoesNotHoldUpAHealthyOne) {
  const auto slow = make_endpoint("https://slow.example/");
  const auto well = make_endpoint("https://well.example/");
  std::promise<void> release;
  const auto released = release.get_future().share();
  sender.script([&](const WebhookRequest& request) {
    if (request.url.contains("slow")) released.wait();
    return WebhookReply{.status = 200};
  });
  start();
  constexpr std::size_t kBatches = 40;
  for (std::size_t i = 0; i < kBatches; ++i) end_batch(std::to_string(i));
  const auto delivered = [&](const WebhookEndpointId& id) {
    const auto page = meta.deliveries(kMine, id, {.limit = 100}).value();
    return static_cast<std::size_t>(
        std::ranges::count(page.data, DeliveryState::delivered, &WebhookDelivery::state));
  };
  EXPECT_TRUE(eventually([&] { return delivered(well.endpoint.id) == kBatches; }));
  EXPECT_EQ(delivered(slow.endpoint.id), 0u);
  release.set_value();
  EXPECT_TRUE(eventually([&] { return delivered(slow.endpoint.id) == kBatches; }));
  EXPECT_EQ(sender.sent().size(), 2 * kBatches) << "each once";
}

TEST_F(WebhookCourierTest, ADeletedEndpointGetsNothingMore) {
  const auto made = make_endpoint();
  answer(500);
  start();
  end_batch("1");
  ASSERT_TRUE(idle());
  ASSERT_TRUE(service.remove(kMine, made.endpoint.id));
  end_batch("2");
  clock.advance(24h);
  ASSERT_TRUE(idle());
  EXPECT_EQ(sender.sent().size(), 1u);
}

TEST_F(WebhookCourierTest, AnEndpointDeletedWhileItIsCalledIsForgotten) {
  const auto made = make_endpoint();
  sender.script([&](const WebhookRequest&) {
    EXPECT_TRUE(service.remove(kMine, made.endpoint.id));
    return WebhookReply{.status = 500};
  });
  start();
  end_batch("1");
  ASSERT_TRUE(sent(1));
  clock.advance(24h);
  const auto other = make_endpoint("https://other.example/");
  answer(200);
  end_batch("2");
  ASSERT_TRUE(
      eventually([&] { return only(other.endpoint.id).state == DeliveryState::delivered; }));
  EXPECT_EQ(sender.sent().size(), 2u);
}

TEST_F(WebhookCourierTest, AReplayIsSentAtOnceUnderTheSameId) {
  const auto made = make_endpoint();
  start();
  end_batch("1");
  ASSERT_TRUE(idle());
  clock.advance(48h);
  const auto replayed = service.replay(kMine, made.endpoint.id, only(made.endpoint.id).id);
  ASSERT_TRUE(replayed);
  EXPECT_EQ(replayed->state, DeliveryState::pending);
  ASSERT_TRUE(idle());
  const auto all = sender.sent();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(header_of(all[0], "webhook-id"), header_of(all[1], "webhook-id"));
  expect_signed(all[1], made.secret, clock.unix_now());
  const auto log = service.delivery(kMine, made.endpoint.id, replayed->id).value();
  EXPECT_EQ(log.attempts.size(), 2u);
}

TEST_F(WebhookCourierTest, SignsWithTheSecretOfTheMomentAndCallsTheUrlOfTheMoment) {
  const auto made = make_endpoint();
  answer(500);
  start();
  end_batch("1");
  ASSERT_TRUE(idle());
  const auto rotated = service.rotate(kMine, made.endpoint.id, false);
  ASSERT_TRUE(service.update(kMine, made.endpoint.id, {.url = "https://moved.example/"}));
  clock.advance(6s);
  ASSERT_TRUE(idle());
  ASSERT_EQ(sender.sent().size(), 2u);
  EXPECT_EQ(sender.sent()[1].url, "https://moved.example/");
  expect_signed(sender.sent()[1], rotated->secret, clock.unix_now());
}

TEST_F(WebhookCourierTest, WhileTheStoreTakesNothingNothingIsSentTwice) {
  const auto made = make_endpoint();
  sender.script([&](const WebhookRequest&) {
    meta.fail_writes(Error{ErrorKind::storage_full, "full"});
    return WebhookReply{.status = 200};
  });
  start();
  end_batch("1");
  ASSERT_TRUE(sent(1));
  for (int i = 0; i < 20; ++i) courier->wake();
  EXPECT_EQ(sender.sent().size(), 1u);
  meta.fail_writes(std::nullopt);
  ASSERT_TRUE(idle());
  EXPECT_EQ(only(made.endpoint.id).state, DeliveryState::delivered);
  EXPECT_EQ(sender.sent().size(), 1u);
}

}  // namespace
}  // namespace offpeak
