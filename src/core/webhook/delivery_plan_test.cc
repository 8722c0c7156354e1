#include "core/webhook/delivery_plan.h"

#include <gtest/gtest.h>

#include "core/webhook/retry_schedule.h"

namespace offpeak {
namespace {

using namespace std::chrono_literals;

const UnixSeconds kNow(1'800'000'000s);

WebhookDelivery delivery(const std::string& id, const std::string& endpoint = "whe_1") {
  return {.id = WebhookDeliveryId(id), .endpoint = WebhookEndpointId(endpoint)};
}

TEST(AfterAttempt, AnySuccessDelivers) {
  for (const int status : {200, 201, 204, 299}) {
    const auto next = after_attempt(delivery("whd_1"), status, kNow, 0.5);
    EXPECT_EQ(next.state, DeliveryState::delivered) << status;
    EXPECT_EQ(next.attempts, 1u);
  }
}

TEST(AfterAttempt, EverythingElseIsTriedAgain) {
  for (const int status : {0, 100, 199, 301, 302, 307, 400, 401, 404, 429, 500, 503, 599}) {
    const auto next = after_attempt(delivery("whd_1"), status, kNow, 0.5);
    EXPECT_EQ(next.state, DeliveryState::pending) << status;
    EXPECT_EQ(next.next_attempt_at, kNow + 5s) << status;
  }
}

TEST(AfterAttempt, FollowsTheScheduleAndGivesUp) {
  auto next = delivery("whd_1");
  UnixSeconds now = kNow;
  while (next.state == DeliveryState::pending) {
    next = after_attempt(next, 500, now, 0.5);
    if (next.state == DeliveryState::pending) now = next.next_attempt_at;
  }
  EXPECT_EQ(next.state, DeliveryState::given_up);
  EXPECT_EQ(next.attempts, kDeliveryAttempts);
  EXPECT_GT(now, kNow + 70h);
  EXPECT_LT(now, kNow + 74h);
}

TEST(AfterAttempt, AReceiverThatIsGoneEndsIt) {
  EXPECT_EQ(after_attempt(delivery("whd_1"), 410, kNow, 0.5).state, DeliveryState::given_up);
}

TEST(DeliverySlots, NeverStartsOneTwice) {
  DeliverySlots slots(10);
  EXPECT_TRUE(slots.try_start(delivery("a")));
  EXPECT_FALSE(slots.try_start(delivery("a")));
  slots.ended(delivery("a"), true);
  EXPECT_TRUE(slots.try_start(delivery("a")));
}

TEST(DeliverySlots, BoundsEachEndpointAndAll) {
  DeliverySlots slots(6);
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(slots.try_start(delivery(std::to_string(i), "x")));
  EXPECT_FALSE(slots.try_start(delivery("4", "x")));
  EXPECT_TRUE(slots.try_start(delivery("5", "y")));
  EXPECT_TRUE(slots.try_start(delivery("6", "y")));
  EXPECT_FALSE(slots.try_start(delivery("7", "z"))) << "all slots are taken";
  slots.ended(delivery("0", "x"), true);
  EXPECT_TRUE(slots.try_start(delivery("7", "z")));
}

TEST(DeliverySlots, ASickEndpointGetsOne) {
  DeliverySlots slots(10);
  for (const auto* id : {"a", "b", "c"}) EXPECT_TRUE(slots.try_start(delivery(id)));
  slots.ended(delivery("a"), false);
  EXPECT_FALSE(slots.try_start(delivery("a"))) << "two are still under way";
  slots.ended(delivery("b"), false);
  slots.ended(delivery("c"), false);
  EXPECT_TRUE(slots.try_start(delivery("a")));
  EXPECT_FALSE(slots.try_start(delivery("b")));
  slots.ended(delivery("a"), true);
  EXPECT_TRUE(slots.try_start(delivery("b"))) << "well again";
  EXPECT_TRUE(slots.try_start(delivery("c")));
}

TEST(DeliverySlots, TheSickTogetherLeaveHalfToTheOthers) {
  DeliverySlots slots(4);
  for (const std::string sick : {"s1", "s2", "s3"}) {
    EXPECT_TRUE(slots.try_start(delivery(sick, sick)));
    slots.ended(delivery(sick, sick), false);
  }
  EXPECT_TRUE(slots.try_start(delivery("s1", "s1")));
  EXPECT_TRUE(slots.try_start(delivery("s2", "s2")));
  EXPECT_FALSE(slots.try_start(delivery("s3", "s3")));
  EXPECT_TRUE(slots.try_start(delivery("w1", "well")));
  EXPECT_TRUE(slots.try_start(delivery("w2", "well")));
  EXPECT_FALSE(slots.try_start(delivery("w3", "well")));
  for (const std::string sick : {"s1", "s2"}) slots.ended(delivery(sick, sick), false);
  EXPECT_TRUE(slots.try_start(delivery("s3", "s3")));
  EXPECT_EQ(slots.under_way(), 3u);
}

}  // namespace
}  // namespace offpeak
