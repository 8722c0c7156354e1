#include <gtest/gtest.h>

#include "core/pace/backoff.h"
#include "core/pace/token_bucket.h"
#include "core/pace/upstream_gate.h"

namespace offpeak {
namespace {

using namespace std::chrono_literals;
const SteadyTime kStart{};

TEST(Backoff, DoublesUpToItsMaximumWithJitterInTheUpperHalf) {
  const BackoffPolicy policy{.base = 500ms, .max = 30s};
  EXPECT_EQ(backoff_delay(policy, 1, std::nullopt, 0), 250ms);
  EXPECT_EQ(backoff_delay(policy, 1, std::nullopt, 0.5), 375ms);
  EXPECT_EQ(backoff_delay(policy, 3, std::nullopt, 0), 1000ms);
  EXPECT_EQ(backoff_delay(policy, 12, std::nullopt, 0), 15s);
  EXPECT_EQ(backoff_delay(policy, 4'000'000'000u, std::nullopt, 0), 15s);
}

TEST(Backoff, TheUpstreamsWishIsALowerBound) {
  const BackoffPolicy policy{.base = 500ms, .max = 30s};
  for (double unit = 0; unit < 1; unit += 0.1) {
    EXPECT_GE(backoff_delay(policy, 1, 60s, unit), 60s);
    EXPECT_LE(backoff_delay(policy, 1, 60s, unit), 68s);
    EXPECT_GE(backoff_delay(policy, 5, 1ms, unit), 4s);
  }
}

TEST(UpstreamGate, IsOpenInHealth) {
  UpstreamGate gate;
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(gate.try_enter(kStart));
  EXPECT_EQ(gate.opens_at(kStart), std::nullopt);
}

TEST(UpstreamGate, LetsOneProbeInWhileDown) {
  UpstreamGate gate;
  gate.unreachable(kStart);
  gate.unreachable(kStart);  // a second attempt of the same moment does not lengthen the wait
  EXPECT_FALSE(gate.try_enter(kStart + 99ms));
  EXPECT_EQ(gate.opens_at(kStart), kStart + 100ms);
  EXPECT_TRUE(gate.try_enter(kStart + 100ms));
  EXPECT_FALSE(gate.try_enter(kStart + 100ms)) << "only one probe at a time";
  gate.unreachable(kStart + 150ms);
  EXPECT_EQ(gate.opens_at(kStart + 150ms), kStart + 350ms) << "twice the wait";
  EXPECT_TRUE(gate.try_enter(kStart + 350ms));
  gate.reached();
  EXPECT_TRUE(gate.try_enter(kStart + 350ms));
  EXPECT_TRUE(gate.try_enter(kStart + 350ms));
}

TEST(UpstreamGate, ProbesNeverBecomeRare) {
  UpstreamGate gate;
  SteadyTime now = kStart;
  for (int i = 0; i < 50; ++i) {
    gate.unreachable(now);
    const auto opens = gate.opens_at(now);
    ASSERT_TRUE(opens);
    EXPECT_LE(*opens - now, UpstreamGate::kProbeMax);
    now = *opens;
    EXPECT_TRUE(gate.try_enter(now));
  }
  EXPECT_EQ(gate.down_since(), kStart);
}

TEST(UpstreamGate, AnAbandonedProbeFreesItsPlace) {
  UpstreamGate gate;
  gate.unreachable(kStart);
  EXPECT_TRUE(gate.try_enter(kStart + 1s));
  gate.abandoned();
  EXPECT_TRUE(gate.try_enter(kStart + 1s));
}

TEST(UpstreamGate, PausesForRetryAfter) {
  UpstreamGate gate;
  gate.pause(kStart, 2s);
  gate.pause(kStart, 1s);
  EXPECT_FALSE(gate.try_enter(kStart + 1999ms));
  EXPECT_EQ(gate.opens_at(kStart + 1s), kStart + 2s);
  EXPECT_TRUE(gate.try_enter(kStart + 2s));
}

TEST(TokenBucket, GivesOutAMinutesWorthAndFillsEvenly) {
  TokenBucket bucket(60, kStart);
  for (int i = 0; i < 60; ++i) EXPECT_TRUE(bucket.take(1, kStart)) << i;
  EXPECT_FALSE(bucket.take(1, kStart));
  EXPECT_EQ(bucket.wait_for(1, kStart), 1s);
  EXPECT_EQ(bucket.full_in(kStart), 60s);
  EXPECT_FALSE(bucket.take(1, kStart + 999ms));
  EXPECT_TRUE(bucket.take(1, kStart + 1s));
  EXPECT_FALSE(bucket.take(1, kStart + 1s));
  EXPECT_DOUBLE_EQ(bucket.held(kStart + 1h), 60);
}

TEST(TokenBucket, AnAmountAboveItsSizePassesWhenItIsFull) {
  TokenBucket bucket(10, kStart);
  EXPECT_TRUE(bucket.take(1'000, kStart));
  EXPECT_EQ(bucket.wait_for(1'000, kStart), 60s);
  EXPECT_FALSE(bucket.take(1'000, kStart + 59s));
  EXPECT_TRUE(bucket.take(1'000, kStart + 60s));
}

TEST(TokenBucket, TimeThatGoesBackGivesNothing) {
  TokenBucket bucket(60, kStart + 1h);
  EXPECT_TRUE(bucket.take(60, kStart + 1h));
  EXPECT_DOUBLE_EQ(bucket.held(kStart), 0);
}

}  // namespace
}  // namespace offpeak
