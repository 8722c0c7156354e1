#include "core/records/transitions.h"

#include <gtest/gtest.h>

#include <array>

namespace offpeak {
namespace {

using S = BatchStatus;
constexpr std::array kAll = {S::validating, S::failed,  S::in_progress, S::finalizing,
                             S::completed,  S::expired, S::cancelling,  S::cancelled};

UnixSeconds at(int seconds) {
  return UnixSeconds(std::chrono::seconds(seconds));
}

BatchRecord in_status(BatchStatus status) {
  BatchRecord batch;
  batch.status = status;
  return batch;
}

TEST(BatchStatus, NamesRoundTrip) {
  for (const auto status : kAll) EXPECT_EQ(parse_batch_status(to_string(status)), status);
  EXPECT_EQ(parse_batch_status("scheduling"), std::nullopt);
}

TEST(BatchStatus, NothingFollowsATerminalStatus) {
  for (const auto from : kAll) {
    bool has_successor = false;
    for (const auto to : kAll) has_successor |= may_follow(from, to);
    EXPECT_EQ(has_successor, !is_terminal(from)) << to_string(from);
  }
}

TEST(Transitions, EachSetsItsOwnTimestamp) {
  auto batch = started(in_status(S::validating), 8, "m", at(10));
  EXPECT_EQ(batch.status, S::in_progress);
  EXPECT_EQ(batch.in_progress_at, at(10));
  EXPECT_EQ(batch.counts, (RequestCounts{.total = 8}));
  batch = finalizing(batch, at(20));
  EXPECT_EQ(batch.finalizing_at, at(20));
  batch = completed(batch, {.output_file = FileId("file-1"), .counts = {8, 7, 1}}, at(30));
  EXPECT_EQ(batch.completed_at, at(30));
  EXPECT_EQ(batch.output_file, FileId("file-1"));
  EXPECT_EQ(batch.counts, (RequestCounts{8, 7, 1}));
}

TEST(Transitions, FailedKeepsZeroCounts) {
  const auto batch = failed(in_status(S::validating), {{.code = "empty_file"}}, at(5));
  EXPECT_EQ(batch.status, BatchStatus::failed);
  EXPECT_EQ(batch.counts, RequestCounts{});
  EXPECT_EQ(batch.in_progress_at, std::nullopt);
}

TEST(Transitions, ExpiredPassesThroughFinalizing) {
  const auto batch = expired(in_status(S::in_progress), {.counts = {10, 1, 0}}, at(7));
  EXPECT_EQ(batch.finalizing_at, at(7));
  EXPECT_EQ(batch.expired_at, at(7));
}

TEST(TransitionsDeathTest, AnIllegalMoveIsABug) {
  EXPECT_DEATH(started(in_status(S::completed), 1, "m", at(1)), "cannot go from completed");
}

struct CancelCase {
  BatchStatus from;
  std::optional<BatchStatus> to;  // none: conflict
};

class Cancel : public testing::TestWithParam<CancelCase> {};

TEST_P(Cancel, FollowsTheContract) {
  const auto [from, to] = GetParam();
  const auto result = request_cancel(in_status(from), at(9));
  if (!to) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind, ErrorKind::conflict);
    EXPECT_NE(result.error().message.find(to_string(from)), std::string::npos);
    return;
  }
  ASSERT_TRUE(result);
  EXPECT_EQ(result->status, *to);
  EXPECT_EQ(result->cancelling_at.has_value(), from != *to);
}

INSTANTIATE_TEST_SUITE_P(AllStatuses, Cancel,
                         testing::Values(CancelCase{S::validating, S::cancelling},
                                         CancelCase{S::in_progress, S::cancelling},
                                         CancelCase{S::finalizing, S::finalizing},
                                         CancelCase{S::cancelling, S::cancelling},
                                         CancelCase{S::cancelled, S::cancelled},
                                         CancelCase{S::completed, std::nullopt},
                                         CancelCase{S::failed, std::nullopt},
                                         CancelCase{S::expired, std::nullopt}));

}  // namespace
}  // namespace offpeak
