#include "sim/fault.h"

#include <gmock/gmock.h>

#include "sim/mix.h"

namespace offpeak::sim {
namespace {

FaultSpec spec(std::string_view text) {
  return parse_fault(text).value();
}

TEST(ParseFault, TakesEveryDocumentedForm) {
  const auto plain = spec("reset:0.5");
  EXPECT_EQ(plain.kind, FaultKind::reset);
  EXPECT_EQ(plain.rate, 0.5);
  EXPECT_FALSE(plain.times);
  const auto dashed = spec("status-503:0.25:2");
  EXPECT_EQ(dashed.kind, FaultKind::status);
  EXPECT_EQ(dashed.argument, 503u);
  EXPECT_EQ(dashed.times, 2u);
  EXPECT_EQ(spec("status:529:1").name, "status-529");
  EXPECT_EQ(spec("big:1000000:1").argument, 1'000'000u);
}

TEST(ParseFault, RefusesWhatItDoesNotKnow) {
  for (const auto* text : {"", "nonsense:1", "reset", "reset:", "reset:2", "reset:-1", "reset:1:x",
                           "reset:1:2:3", "status-99:1", "status:abc:1", "big:1", "reset:nan"}) {
    EXPECT_FALSE(parse_fault(text)) << text;
  }
}

TEST(FaultPlan, HitsTheShareOfBodiesItWasTold) {
  FaultPlan plan(7);
  ASSERT_TRUE(plan.replace({spec("status-500:0.2"), spec("reset:0.1")}));
  int errors = 0;
  int resets = 0;
  constexpr int kBodies = 20'000;
  for (std::uint64_t body = 0; body < kBodies; ++body) {
    const auto* fault = plan.choose(mix(body), 1);
    if (fault == nullptr) continue;
    ++(fault->kind == FaultKind::status ? errors : resets);
  }
  EXPECT_NEAR(errors, kBodies * 0.2, kBodies * 0.01);
  EXPECT_NEAR(resets, kBodies * 0.1, kBodies * 0.01);
}

TEST(FaultPlan, TheSameBodyMeetsTheSameFateAndAnotherSeedAnother) {
  FaultPlan one(1);
  FaultPlan again(1);
  FaultPlan other(2);
  for (auto* plan : {&one, &again, &other}) ASSERT_TRUE(plan->replace({spec("reset:0.5")}));
  int differs = 0;
  for (std::uint64_t body = 0; body < 1000; ++body) {
    EXPECT_EQ(one.choose(body, 1) == nullptr, again.choose(body, 9) == nullptr);
    differs += (one.choose(body, 1) == nullptr) != (other.choose(body, 1) == nullptr);
  }
  EXPECT_NEAR(differs, 500, 80);
}

TEST(FaultPlan, StopsAfterItsTimes) {
  FaultPlan plan(1);
  ASSERT_TRUE(plan.replace({spec("status-429:1:2")}));
  EXPECT_NE(plan.choose(42, 1), nullptr);
  EXPECT_NE(plan.choose(42, 2), nullptr);
  EXPECT_EQ(plan.choose(42, 3), nullptr);
}

TEST(FaultPlan, RefusesMoreThanCertainty) {
  FaultPlan plan(1);
  EXPECT_FALSE(plan.replace({spec("reset:0.6"), spec("drip:0.6")}));
  EXPECT_EQ(plan.choose(1, 1), nullptr);
}

}  // namespace
}  // namespace offpeak::sim
