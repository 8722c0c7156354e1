#include "sim/engine_model.h"

#include <gmock/gmock.h>

#include <map>

namespace offpeak::sim {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr Nanoseconds kMs = 1'000'000;

/// Runs the model to its end: id -> millisecond of its finish, rounded.
std::map<std::uint64_t, std::int64_t> finish_times(EngineModel& model) {
  std::map<std::uint64_t, std::int64_t> times;
  while (const auto event = model.next_event()) {
    for (const auto id : model.advance(*event)) times[id] = (*event + kMs / 2) / kMs;
  }
  return times;
}

TEST(EngineModel, CostsNothingByDefault) {
  EngineModel model({});
  EXPECT_TRUE(model.is_instant({.id = 1, .prefill_tokens = 100, .decode_tokens = 100}));
  EXPECT_FALSE(model.is_instant({.id = 1, .latency = 1}));
  EXPECT_FALSE(EngineModel({.slots = 1}).is_instant({.id = 1}));
}

TEST(EngineModel, LatencyHoldsASlotAndTheRestWaitInOrder) {
  EngineModel model({.slots = 2});
  for (std::uint64_t id = 1; id <= 5; ++id) model.arrive({.id = id, .latency = 10 * kMs}, 0);
  EXPECT_EQ(model.running(), 2u);
  EXPECT_EQ(model.waiting(), 3u);
  EXPECT_THAT(model.advance(9 * kMs), IsEmpty());
  EXPECT_THAT(model.advance(10 * kMs), ElementsAre(1, 2));
  EXPECT_THAT(model.advance(25 * kMs), ElementsAre(3, 4));
  EXPECT_THAT(model.advance(30 * kMs), ElementsAre(5));
  EXPECT_EQ(model.running() + model.waiting(), 0u);
  EXPECT_FALSE(model.next_event());
}

TEST(EngineModel, PromptsGoThroughPrefillOneAfterAnother) {
  EngineModel model({.prefill_tokens_per_s = 1000});
  model.arrive({.id = 1, .prefill_tokens = 100}, 0);
  model.arrive({.id = 2, .prefill_tokens = 50}, 0);
  EXPECT_THAT(finish_times(model), ElementsAre(std::pair(1, 100), std::pair(2, 150)));
}

TEST(EngineModel, DecodeIsSharedButNeverFasterThanOneSequenceAllows) {
  const EngineOptions options{.decode_tokens_per_s_total = 300,
                              .decode_tokens_per_s_per_sequence = 100};
  EngineModel alone(options);
  alone.arrive({.id = 1, .decode_tokens = 10}, 0);
  EXPECT_THAT(finish_times(alone), ElementsAre(std::pair(1, 100)));

  // Six share 300 tokens/s: 50 each. When the five short ones end at 200 ms, the long one has 90 of
  // its 100 tokens to go and gets 100 a second.
  EngineModel six(options);
  six.arrive({.id = 1, .decode_tokens = 100}, 0);
  for (std::uint64_t id = 2; id <= 6; ++id) six.arrive({.id = id, .decode_tokens = 10}, 0);
  const auto times = finish_times(six);
  EXPECT_EQ(times.at(2), 200);
  EXPECT_EQ(times.at(6), 200);
  EXPECT_EQ(times.at(1), 1100);
}

TEST(EngineModel, ACancelledRequestGivesItsSlotAway) {
  EngineModel model({.slots = 1, .decode_tokens_per_s_per_sequence = 100});
  for (std::uint64_t id = 1; id <= 3; ++id) model.arrive({.id = id, .decode_tokens = 10}, 0);
  model.cancel(2, 10 * kMs);
  model.cancel(1, 50 * kMs);
  model.cancel(99, 50 * kMs);
  EXPECT_EQ(model.running(), 1u);
  EXPECT_EQ(model.waiting(), 0u);
  EXPECT_THAT(finish_times(model), ElementsAre(std::pair(3, 150)));
}

TEST(EngineModel, WhatFinishedDuringAnArrivalIsNotLost) {
  EngineModel model({.slots = 1});
  model.arrive({.id = 1, .latency = kMs}, 0);
  model.arrive({.id = 2, .latency = kMs}, 5 * kMs);
  ASSERT_TRUE(model.next_event());
  EXPECT_THAT(model.advance(5 * kMs), ElementsAre(1));
}

}  // namespace
}  // namespace offpeak::sim
