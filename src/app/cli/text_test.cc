#include "app/cli/text.h"

#include <gtest/gtest.h>

#include "app/cli/terminal.h"

namespace offpeak::cli {
namespace {

using namespace std::chrono_literals;

TEST(GroupDigits, PutsCommas) {
  EXPECT_EQ(group_digits(0), "0");
  EXPECT_EQ(group_digits(999), "999");
  EXPECT_EQ(group_digits(1000), "1,000");
  EXPECT_EQ(group_digits(1234567), "1,234,567");
}

TEST(HumanBytes, KeepsThreeDigits) {
  EXPECT_EQ(human_bytes(0), "0 B");
  EXPECT_EQ(human_bytes(999), "999 B");
  EXPECT_EQ(human_bytes(1000), "1.00 kB");
  EXPECT_EQ(human_bytes(999'999), "1.00 MB");
  EXPECT_EQ(human_bytes(209'715'200), "210 MB");
  EXPECT_EQ(human_bytes(9'996'000), "10.0 MB");
  EXPECT_EQ(human_bytes(~0ULL), "18.4 EB");
}

TEST(ClockTime, GrowsWithTheDuration) {
  EXPECT_EQ(clock_time(-5s), "00:00");
  EXPECT_EQ(clock_time(395s), "06:35");
  EXPECT_EQ(clock_time(3995s), "1:06:35");
  EXPECT_EQ(clock_time(90'061s), "1d 01:01:01");
}

TEST(HumanDuration, ChoosesTwoUnits) {
  EXPECT_EQ(human_duration(430ms), "0.4 s");
  EXPECT_EQ(human_duration(395s), "6 m 35 s");
  EXPECT_EQ(human_duration(3960s), "1 h 6 m");
}

TEST(HumanRate, KeepsSmallRatesReadable) {
  EXPECT_EQ(human_rate(0.214, "rows"), "0.21 rows/s");
  EXPECT_EQ(human_rate(61.04, "rows"), "61.0 rows/s");
  EXPECT_EQ(human_rate(1234.4, "rows"), "1,234 rows/s");
}

TEST(UtcTime, IsIso) {
  EXPECT_EQ(utc_time(1'700'000'000), "2023-11-14 22:13:20Z");
}

TEST(Table, AlignsColumns) {
  EXPECT_EQ(table({{"A", "B"}, {"long", "x"}, {"s", ""}}), "A     B\nlong  x\ns\n");
}

TEST(ShellCommand, QuotesWhatTheShellWouldSplit) {
  EXPECT_EQ(shell_command({"offpeak", "-o", "my file", "it's", ""}),
            "offpeak -o 'my file' 'it'\\''s' ''");
}

TEST(PathSegment, CannotLeaveItsSegment) {
  EXPECT_EQ(path_segment("batch_1-a"), "batch_1-a");
  EXPECT_EQ(path_segment("../x?y"), "%2E%2E%2Fx%3Fy");
  EXPECT_EQ(list_query(5, "a b"), "?limit=5&after=a%20b");
}

TEST(TerminalTraits, FollowTheEnvironment) {
  const auto plain = terminal_traits(false, {{"LANG", "C.UTF-8"}});
  EXPECT_FALSE(plain.interactive);
  EXPECT_FALSE(plain.colour);
  EXPECT_TRUE(plain.unicode);
  EXPECT_TRUE(terminal_traits(true, {}).colour);
  EXPECT_FALSE(terminal_traits(true, {{"NO_COLOR", "1"}}).colour);
  EXPECT_FALSE(terminal_traits(true, {{"TERM", "dumb"}}).interactive);
  EXPECT_FALSE(terminal_traits(true, {{"LC_ALL", "C"}, {"LANG", "de_DE.UTF-8"}}).unicode);
}

}  // namespace
}  // namespace offpeak::cli
