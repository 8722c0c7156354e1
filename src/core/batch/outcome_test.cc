#include "core/batch/outcome.h"

#include <gtest/gtest.h>

namespace offpeak {
namespace {

using namespace std::chrono_literals;
const WallTime kNow{1'700'000'000s};

Outcome reply(int status, bool valid = true, std::string retry_after = "") {
  return classify(HttpReply{.status = status, .body = "{}", .retry_after = retry_after}, valid,
                  kNow);
}

TEST(Outcome, OnlyValid200AndUnretryableStatusesAreAnswers) {
  for (const int status : {200, 201, 204, 301, 307, 400, 401, 403, 404, 410, 413, 422}) {
    ASSERT_TRUE(std::holds_alternative<Answered>(reply(status))) << status;
    EXPECT_EQ(std::get<Answered>(reply(status)).status, status);
  }
  for (const int status : {408, 409, 429, 500, 502, 503, 504, 529, 599}) {
    const auto outcome = reply(status);
    ASSERT_TRUE(std::holds_alternative<RetryLater>(outcome)) << status;
    EXPECT_EQ(std::get<RetryLater>(outcome).last_answer->status, status);
  }
  const auto not_json = reply(200, false);
  ASSERT_TRUE(std::holds_alternative<RetryLater>(not_json));
  EXPECT_FALSE(std::get<RetryLater>(not_json).last_answer);
  EXPECT_TRUE(std::holds_alternative<Answered>(reply(400, false)));
}

TEST(Outcome, OnlyAFailedConnectIsTheUpstreamsAlone) {
  using enum TransportFailure;
  for (const auto failure : {connect, timeout, broken, head_too_large, body_too_large}) {
    const auto outcome = std::get<RetryLater>(classify(NoReply{failure, "why"}, false, kNow));
    EXPECT_EQ(outcome.unreachable, failure == connect);
    EXPECT_NE(outcome.message.find("why"), std::string::npos);
    EXPECT_FALSE(outcome.code.empty());
  }
}

struct RetryAfterCase {
  std::string seconds;
  std::string ms;
  std::optional<std::chrono::milliseconds> delay;
};

class RetryAfter : public testing::TestWithParam<RetryAfterCase> {};

TEST_P(RetryAfter, IsParsedAndBounded) {
  EXPECT_EQ(parse_retry_after(GetParam().seconds, GetParam().ms, kNow), GetParam().delay);
}

INSTANTIATE_TEST_SUITE_P(
    Headers, RetryAfter,
    testing::Values(RetryAfterCase{"", "", std::nullopt}, RetryAfterCase{"2", "", 2000ms},
                    RetryAfterCase{"1.5", "", 1500ms}, RetryAfterCase{"2", "250.5", 250ms},
                    RetryAfterCase{"-4", "", 0ms}, RetryAfterCase{"1000000000", "", std::nullopt},
                    RetryAfterCase{"1800", "", kRetryAfterMax},
                    RetryAfterCase{"1e400", "", std::nullopt},
                    RetryAfterCase{"soon", "", std::nullopt},
                    RetryAfterCase{"Tue, 14 Nov 2023 22:13:30 GMT", "", 10'000ms},
                    RetryAfterCase{"Tue, 14 Nov 2023 22:00:00 GMT", "", 0ms},
                    RetryAfterCase{"Tue, 14 Nov 2999 22:00:00 GMT", "", std::nullopt}));

}  // namespace
}  // namespace offpeak
