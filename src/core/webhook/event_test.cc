#include "core/webhook/event.h"

#include <gtest/gtest.h>

#include "core/webhook/retry_schedule.h"

namespace offpeak {
namespace {

using namespace std::chrono_literals;

TEST(WebhookEvent, PayloadHasTheKeysOfTheService) {
  EXPECT_EQ(event_payload({.id = "evt_1",
                           .type = "batch.completed",
                           .created_at = UnixSeconds(1'763'000'000s),
                           .batch = BatchId("batch_1")}),
            R"({"id":"evt_1","object":"event","type":"batch.completed","created_at":1763000000,)"
            R"("data":{"id":"batch_1"}})");
}

TEST(WebhookEvent, TypesAreTheFourEndsOfABatch) {
  EXPECT_EQ(webhook_event_types().size(), 4u);
  for (const auto* known :
       {"batch.completed", "batch.failed", "batch.expired", "batch.cancelled"}) {
    EXPECT_TRUE(is_webhook_event_type(known)) << known;
  }
  for (const auto* unknown : {"", "batch", "batch.in_progress", "batch.completed "}) {
    EXPECT_FALSE(is_webhook_event_type(unknown)) << unknown;
  }
}

TEST(WebhookEvent, SignsIdTimeAndPayload) {
  EXPECT_EQ(signed_text("wh_1", UnixSeconds(1'614'265'330s), "{}"), "wh_1.1614265330.{}");
}

TEST(WebhookEvent, HintShowsTheLastFourCharacters) {
  EXPECT_EQ(secret_hint("whsec_AAAABBBBa1B2="), "whsec_…a1B2");
  EXPECT_EQ(secret_hint(""), "whsec_…");
}

TEST(RetrySchedule, WaitsLongerEachTimeForAboutThreeDays) {
  const std::chrono::milliseconds table[] = {5s, 5min, 30min, 2h, 5h, 10h, 14h, 20h, 20h};
  std::chrono::milliseconds total{};
  for (std::uint32_t attempt = 1; attempt < kDeliveryAttempts; ++attempt) {
    const auto usual = table[attempt - 1];
    EXPECT_EQ(delivery_retry_delay(attempt, 0.5), usual) << attempt;
    EXPECT_EQ(delivery_retry_delay(attempt, 0), usual * 8 / 10) << attempt;
    EXPECT_GT(*delivery_retry_delay(attempt, 0.999), usual * 119 / 100) << attempt;
    EXPECT_LE(*delivery_retry_delay(attempt, 0.999), usual * 12 / 10) << attempt;
    total += usual;
  }
  EXPECT_GE(total, 71h);
  EXPECT_LE(total, 73h);
}

TEST(RetrySchedule, GivesUp) {
  EXPECT_EQ(delivery_retry_delay(kDeliveryAttempts, 0.5), std::nullopt);
  EXPECT_EQ(delivery_retry_delay(4'000'000'000u, 0.5), std::nullopt);
  EXPECT_EQ(delivery_retry_delay(0, 0.5), std::nullopt);
}

}  // namespace
}  // namespace offpeak
