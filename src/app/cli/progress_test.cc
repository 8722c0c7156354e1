#include "app/cli/progress.h"

#include <gtest/gtest.h>

namespace offpeak::cli {
namespace {

using namespace std::chrono_literals;

constexpr SteadyTime kStart{};

TEST(RateMeter, NeedsTwoReadings) {
  RateMeter meter;
  EXPECT_EQ(meter.rate(), std::nullopt);
  meter.add(kStart, 0);
  EXPECT_EQ(meter.rate(), std::nullopt);
  meter.add(kStart, 5);
  EXPECT_EQ(meter.rate(), std::nullopt);
}

TEST(RateMeter, ForgetsTheDistantPast) {
  RateMeter meter;
  for (int second = 0; second <= 100; ++second) {
    meter.add(kStart + std::chrono::seconds(second), second <= 50 ? 0 : (second - 50) * 10);
  }
  EXPECT_DOUBLE_EQ(*meter.rate(), 10);
}

TEST(TimeLeft, RoundsUp) {
  EXPECT_EQ(time_left(0, std::nullopt), 0s);
  EXPECT_EQ(time_left(10, 3.0), 4s);
  EXPECT_EQ(time_left(10, 0.0), std::nullopt);
  EXPECT_EQ(time_left(10, 1e-12), std::nullopt);
  EXPECT_EQ(time_left(10, std::nullopt), std::nullopt);
}

TEST(RenderBar, FillsByEighths) {
  EXPECT_EQ(render_bar(0, 10, 4, true), "····");
  EXPECT_EQ(render_bar(5, 10, 4, true), "██··");
  EXPECT_EQ(render_bar(9, 16, 4, true), "██▎·");
  EXPECT_EQ(render_bar(10, 10, 4, true), "████");
  EXPECT_EQ(render_bar(11, 10, 4, false), "####");
  EXPECT_EQ(render_bar(0, 0, 4, false), "----");
}

const RowsProgress kHalf = {.status = "in_progress",
                            .total = 50'000,
                            .completed = 24'101,
                            .failed = 12,
                            .elapsed = 395s,
                            .rate = 61.0};

TEST(RenderRows, ShowsCountsRateAndTimeLeft) {
  EXPECT_EQ(render_rows(kHalf, {.width = 100, .unicode = false}),
            "  rows     ###############----------------- 24,113/50,000  failed 12  61.0 rows/s  "
            "[06:35<07:05]");
}

TEST(RenderRows, DropsTheBarThenCutsWhereThereIsNoRoom) {
  EXPECT_EQ(render_rows(kHalf, {.width = 70, .unicode = false}),
            "  rows     24,113/50,000  failed 12  61.0 rows/s  [06:35<07:05]");
  EXPECT_EQ(render_rows(kHalf, {.width = 20, .unicode = true}), "  rows     24,113/5");
}

TEST(RenderRows, PromisesNothingFromAFewRows) {
  auto rows = kHalf;
  rows.completed = 3;
  rows.failed = 0;
  EXPECT_TRUE(render_rows(rows, {}).ends_with("[06:35<--:--]"));
  rows = kHalf;
  rows.status = "cancelling";
  EXPECT_TRUE(render_rows(rows, {.width = 120}).ends_with("[06:35<--:--]"));
}

TEST(RenderRows, AtTheEndNothingIsLeft) {
  EXPECT_EQ(render_rows({.status = "completed", .total = 5, .completed = 5, .elapsed = 3s},
                        {.width = 60, .unicode = false}),
            "  rows     ################### 5/5  failed 0  [00:03<00:00]");
}

TEST(RenderRows, BeforeTheRowsAreCountedShowsTheStatus) {
  EXPECT_EQ(render_rows({.status = "validating"}, {}), "  validating");
}

TEST(RenderBytes, ShowsSpeed) {
  EXPECT_EQ(render_bytes({.verb = "upload",
                          .total = 209'000'000,
                          .done = 104'500'000,
                          .elapsed = 1s,
                          .rate = 104'500'000.0},
                         {.width = 70, .unicode = false}),
            "  upload   ########-------- 104 MB of 209 MB  104 MB/s  [00:01<00:01]");
}

TEST(PlainRows, IsOneSentence) {
  EXPECT_EQ(plain_rows(kHalf),
            "in_progress 24101/50000 completed, 12 failed, 61.0 rows/s, 07:05 left");
  EXPECT_EQ(plain_rows({.status = "validating"}), "validating");
}

}  // namespace
}  // namespace offpeak::cli
