#include "core/schedule/planner.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "base/random.h"

namespace offpeak {
namespace {

using namespace std::chrono_literals;
const SteadyTime kNow{};
const WallTime kWall{1'700'000'000s};

PlannedBatch batch(std::string project, std::uint32_t rows, UpstreamSet upstreams = 1) {
  return {.project = ProjectId(std::move(project)),
          .upstreams = upstreams,
          .ranges = {{0, rows}},
          .tokens_per_row = 10,
          .expires_at = kWall + 24h};
}

BatchTicket ticket(std::uint64_t n) {
  return BatchTicket{n};
}

TEST(Planner, RunsABatchInDispatchOrderAndThenHasNothing) {
  Planner planner;
  planner.add(ticket(1), batch("a", 300));
  for (std::uint32_t i = 0; i < 300; ++i) {
    EXPECT_EQ(planner.next(0, kNow, kWall), (PlannedRow{ticket(1), i}));
  }
  EXPECT_EQ(planner.next(0, kNow, kWall), std::nullopt);
}

TEST(Planner, RunsOnlyTheRangesLeftAfterARestart) {
  Planner planner;
  auto plan = batch("a", 0);
  plan.ranges = {{3, 5}, {9, 10}};
  planner.add(ticket(1), plan);
  std::vector<std::uint32_t> positions;
  while (const auto row = planner.next(0, kNow, kWall)) positions.push_back(row->position);
  EXPECT_EQ(positions, (std::vector<std::uint32_t>{3, 4, 9}));
}

TEST(Planner, ASecondUpstreamTakesTheFarHalf) {
  Planner planner;
  planner.add(ticket(1), batch("a", 100, 0b11));
  EXPECT_EQ(planner.next(0, kNow, kWall)->position, 0u);
  EXPECT_EQ(planner.next(1, kNow, kWall)->position, 50u);
  EXPECT_EQ(planner.next(0, kNow, kWall)->position, 1u);
  EXPECT_EQ(planner.next(1, kNow, kWall)->position, 51u);
}

TEST(Planner, EveryRowComesOutOnceWhateverTheUpstreamsDo) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    SeededRandom random(seed);
    Planner planner;
    planner.add(ticket(1), batch("a", 333, 0b111));
    planner.add(ticket(2), batch("b", 77, 0b110));
    std::multiset<std::pair<std::uint64_t, std::uint32_t>> seen;
    auto now = kNow;
    for (int idle = 0; idle < 50;) {
      const auto upstream = static_cast<UpstreamIndex>(random.u64() % 3);
      now += 1ms;
      const auto row = planner.next(upstream, now, kWall);
      idle = row ? 0 : idle + 1;
      if (!row) continue;
      EXPECT_FALSE(row->batch == ticket(2) && upstream == 0);
      if (random.u64() % 8 == 0) {
        planner.retry(*row, now + 5ms);
      } else {
        seen.emplace(static_cast<std::uint64_t>(row->batch), row->position);
      }
    }
    EXPECT_EQ(seen.size(), 410u);
    EXPECT_EQ(std::set(seen.begin(), seen.end()).size(), 410u);
  }
}

TEST(Planner, RetriesWaitForTheirTimeAndThenGoFirst) {
  Planner planner;
  planner.add(ticket(1), batch("a", 10));
  const auto row = *planner.next(0, kNow, kWall);
  planner.retry(row, kNow + 5s);
  EXPECT_EQ(planner.next_retry(0), kNow + 5s);
  EXPECT_EQ(planner.next_retry(1), std::nullopt);
  EXPECT_EQ(planner.next(0, kNow, kWall)->position, 1u);
  EXPECT_EQ(planner.next(0, kNow + 5s, kWall)->position, 0u);
}

TEST(Planner, RowsOfAnUpstreamThatCeasesToServeGoToAnother) {
  Planner planner;
  planner.add(ticket(1), batch("a", 4, 0b01));
  EXPECT_EQ(planner.next(0, kNow, kWall)->position, 0u);
  planner.serve_on(ticket(1), 0b10);
  EXPECT_EQ(planner.next(0, kNow, kWall), std::nullopt);
  for (std::uint32_t i = 1; i < 4; ++i) EXPECT_EQ(planner.next(1, kNow, kWall)->position, i);
  EXPECT_EQ(planner.next(1, kNow, kWall), std::nullopt);
}

TEST(Planner, ARemovedBatchIsForgotten) {
  Planner planner;
  planner.add(ticket(1), batch("a", 10));
  const auto row = *planner.next(0, kNow, kWall);
  planner.remove(ticket(1));
  planner.retry(row, kNow);
  EXPECT_EQ(planner.next(0, kNow + 1s, kWall), std::nullopt);
}

TEST(Planner, ProjectsShareByTokens) {
  Planner planner;
  auto heavy = batch("heavy", 100'000);
  heavy.tokens_per_row = 30;
  planner.add(ticket(1), heavy);
  planner.add(ticket(2), batch("light", 100'000));
  std::map<std::uint64_t, int> rows;
  for (int i = 0; i < 40'000; ++i)
    ++rows[static_cast<std::uint64_t>(planner.next(0, kNow, kWall)->batch)];
  EXPECT_NEAR(static_cast<double>(rows[2]) / rows[1], 3.0, 0.05);
}

TEST(Planner, ALateProjectHasNoClaimOnThePast) {
  Planner planner;
  planner.add(ticket(1), batch("early", 100'000));
  for (int i = 0; i < 10'000; ++i) planner.next(0, kNow, kWall);
  planner.add(ticket(2), batch("late", 100'000));
  std::map<std::uint64_t, int> rows;
  for (int i = 0; i < 2'000; ++i)
    ++rows[static_cast<std::uint64_t>(planner.next(0, kNow, kWall)->batch)];
  EXPECT_NEAR(rows[1], rows[2], 2 * Planner::kQuantumRows);
}

TEST(Planner, ShortBatchesGoFirstUnlessAWindowIsClosing) {
  Planner planner;
  planner.add(ticket(1), batch("a", 1000));
  planner.add(ticket(2), batch("a", 10));
  EXPECT_EQ(planner.next(0, kNow, kWall)->batch, ticket(2));
  auto closing = batch("a", 5000);
  closing.expires_at = kWall + 10min;
  planner.add(ticket(3), closing);
  std::optional<PlannedRow> row;
  for (int i = 0; i < 10; ++i) row = planner.next(0, kNow, kWall);
  EXPECT_EQ(row->batch, ticket(3));
}

}  // namespace
}  // namespace offpeak
