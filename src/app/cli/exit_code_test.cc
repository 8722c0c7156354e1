#include "app/cli/exit_code.h"

#include <gtest/gtest.h>

namespace offpeak::cli {
namespace {

TEST(ExitCode, FollowsTheAnswer) {
  EXPECT_EQ(exit_of_status(401), ExitCode::auth);
  EXPECT_EQ(exit_of_status(403), ExitCode::auth);
  EXPECT_EQ(exit_of_status(404), ExitCode::not_found);
  EXPECT_EQ(exit_of_status(400), ExitCode::error);
  EXPECT_EQ(exit_of_status(503), ExitCode::error);
}

TEST(ExitCode, FollowsTheBatch) {
  EXPECT_EQ(exit_of_batch("completed", 0), ExitCode::ok);
  EXPECT_EQ(exit_of_batch("completed", 1), ExitCode::rows_failed);
  for (const char* status : {"failed", "expired", "cancelled"}) {
    EXPECT_EQ(exit_of_batch(status, 0), ExitCode::batch_failed) << status;
  }
}

TEST(CliError, NamesOnlyWhatItKnows) {
  EXPECT_EQ((CliError{.what = "No.", .where = "GET /x", .todo = "do y"}).text(),
            "offpeak: No; GET /x; do y");
  EXPECT_EQ((CliError{.what = "no", .todo = "do y"}).text(), "offpeak: no; do y");
}

}  // namespace
}  // namespace offpeak::cli
