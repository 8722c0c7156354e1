// What a restart costs: only the rows that were in flight, and no count that was shown.
#include <gmock/gmock.h>

#include <map>

#include "testing/server_fixture.h"

namespace offpeak {
namespace {

using namespace std::chrono_literals;

class RestartTest : public ServerFixture {
 protected:
  static constexpr std::size_t kRows = 12;
  static constexpr std::size_t kAnswered = 5;

  /// Answers kAnswered rows and holds the next ones.
  std::string run_half() {
    upstream.script([](const UpstreamCall& call) -> UpstreamAnswer {
      return {.held = call.number >= kAnswered};
    });
    start();
    const auto id = run_rows(kRows);
    EXPECT_TRUE(eventually([&] { return upstream.in_progress() == kSlots; }));
    EXPECT_TRUE(eventually([&] { return counts(id).completed == kAnswered; }));
    return id;
  }

  /// How many attempts each row had, by its idempotency key.
  std::map<std::string, int> attempts() const {
    std::map<std::string, int> found;
    for (const auto& call : upstream.calls()) {
      ++found[std::string(call.request.header("idempotency-key"))];
    }
    return found;
  }

  void expect_only_in_flight_repeated() const {
    const auto found = attempts();
    EXPECT_EQ(found.size(), kRows);
    std::size_t repeated = 0;
    for (const auto& [row, count] : found) repeated += count > 1 ? 1 : 0;
    EXPECT_EQ(repeated, kSlots);
    EXPECT_EQ(upstream.call_count(), kRows + kSlots);
  }
};

TEST_F(RestartTest, ACrashRepeatsOnlyWhatWasInFlight) {
  const auto id = run_half();
  crash();
  upstream.open_gate();
  start();
  EXPECT_GE(counts(id).completed, static_cast<std::int64_t>(kAnswered));
  ASSERT_TRUE(reaches(id, "completed"));
  EXPECT_EQ(counts(id), (ShownCounts{kRows, kRows, 0}));
  expect_each_row_once(id, kRows);
  expect_only_in_flight_repeated();
}

TEST_F(RestartTest, ABatchThatHadBegunWaitsForServersThatComeBackLater) {
  const auto id = run_half();
  crash();
  upstream.stop();
  start();
  const auto begin = stores.clock.steady_now();
  ASSERT_TRUE(advance_until(500ms, [&] {
    return stores.clock.steady_now() - begin > 3 * options.dispatch.never_reached_timeout;
  }));
  EXPECT_EQ(status(id), "in_progress");
  EXPECT_EQ(counts(id).failed, 0u);
  upstream.script([](const UpstreamCall&) -> UpstreamAnswer { return {}; });
  upstream.start();
  ASSERT_TRUE(advance_until(100ms, [&] { return status(id) == "completed"; }));
  EXPECT_EQ(counts(id), (ShownCounts{kRows, kRows, 0}));
  expect_each_row_once(id, kRows);
}

TEST_F(RestartTest, APowerCutLosesNoCountThatWasShown) {
  const auto id = run_half();
  power_cut();
  upstream.script([](const UpstreamCall&) -> UpstreamAnswer { return {.held = true}; });
  start();
  EXPECT_EQ(counts(id), (ShownCounts{kRows, kAnswered, 0}));
  EXPECT_EQ(batch(id).at("usage").at("input_tokens").to_number<std::size_t>(), 3 * kAnswered);
  upstream.open_gate();
  ASSERT_TRUE(reaches(id, "completed"));
  EXPECT_EQ(counts(id), (ShownCounts{kRows, kRows, 0}));
  EXPECT_EQ(batch(id).at("usage").at("input_tokens").to_number<std::size_t>(), 3 * kRows);
  expect_each_row_once(id, kRows);
  expect_only_in_flight_repeated();
}

TEST_F(RestartTest, CountsNeverFallOverManyPowerCuts) {
  upstream.script(
      [](const UpstreamCall& call) -> UpstreamAnswer { return {.held = call.number % 5 == 4}; });
  start();
  const auto id = run_rows(40);
  std::int64_t shown = 0;
  for (int cuts = 0; cuts < 4; ++cuts) {
    // Held answers come one by one, so that both slots are taken in the end.
    ASSERT_TRUE(eventually([&] { return upstream.in_progress() == kSlots; }));
    shown = std::max(shown, counts(id).completed);
    power_cut();
    upstream.release();
    ASSERT_TRUE(eventually([&] { return upstream.in_progress() == 0; }));
    start();
    const auto after = counts(id).completed;
    ASSERT_GE(after, shown);
    shown = after;
  }
  upstream.open_gate();
  ASSERT_TRUE(reaches(id, "completed"));
  EXPECT_EQ(counts(id), (ShownCounts{40, 40, 0}));
  expect_each_row_once(id, 40);
}

TEST_F(RestartTest, ACrashWhileCancellingEndsCancelled) {
  const auto id = run_half();
  cancel(id);
  server->tick();
  crash();
  start();
  ASSERT_TRUE(reaches(id, "cancelled"));
  EXPECT_EQ(counts(id), (ShownCounts{kRows, kAnswered, 0}));
  EXPECT_EQ(upstream.call_count(), kAnswered + kSlots);
  expect_each_row_once(id, kRows);
}

TEST_F(RestartTest, ACrashWhileTheInputIsCheckedChecksItAgain) {
  options.upstreams[0].models.clear();
  options.discovery_patience = 1s;
  start();
  const auto id = run_rows(3);
  EXPECT_EQ(status(id), "validating");
  crash();
  options.upstreams[0].models = {std::string(kModel)};
  start();
  ASSERT_TRUE(reaches(id, "completed"));
  expect_each_row_once(id, 3);
}

TEST_F(RestartTest, AWindowThatClosedWhileTheServerWasAwayExpiresTheBatch) {
  const auto id = run_half();
  crash();
  stores.clock.advance(25h);
  start();
  ASSERT_TRUE(reaches(id, "expired"));
  EXPECT_EQ(counts(id), (ShownCounts{kRows, kAnswered, 0}));
  EXPECT_EQ(upstream.call_count(), kAnswered + kSlots);
  expect_each_row_once(id, kRows);
}

class DrainTest : public RestartTest {
 protected:
  /// Becomes true when the drain is done.
  std::shared_ptr<std::atomic<bool>> drain(std::chrono::seconds patience) {
    auto done = std::make_shared<std::atomic<bool>>(false);
    server->dispatcher().drain(stores.clock.steady_now() + patience, [done] { *done = true; });
    return done;
  }
};

TEST_F(DrainTest, WaitsForWhatIsInFlightAndTakesNoMore) {
  const auto id = run_half();
  const auto done = drain(60s);
  for (int i = 0; i < 10; ++i) server->tick();
  EXPECT_FALSE(*done);
  upstream.open_gate();
  ASSERT_TRUE(eventually([&] { return done->load(); }));
  EXPECT_EQ(upstream.call_count(), kAnswered + kSlots);
  crash();
  start();
  ASSERT_TRUE(reaches(id, "completed"));
  expect_each_row_once(id, kRows);
  EXPECT_EQ(upstream.call_count(), kRows);  // nothing was paid twice
}

TEST_F(DrainTest, BreaksOffWhatIsInFlightAtTheDeadline) {
  const auto id = run_half();
  const auto done = drain(60s);
  server->tick();
  EXPECT_FALSE(*done);
  stores.clock.advance(61s);
  ASSERT_TRUE(eventually([&] { return done->load(); }));
  crash();
  upstream.open_gate();
  start();
  ASSERT_TRUE(reaches(id, "completed"));
  expect_each_row_once(id, kRows);
  expect_only_in_flight_repeated();
}

}  // namespace
}  // namespace offpeak
