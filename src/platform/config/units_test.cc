#include "platform/config/units.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace offpeak {
namespace {

using namespace std::chrono_literals;

TEST(ParseDuration, ReadsEveryUnit) {
  EXPECT_EQ(parse_duration("250ms"), 250ms);
  EXPECT_EQ(parse_duration("600s"), 10min);
  EXPECT_EQ(parse_duration("1.5h"), 90min);
  EXPECT_EQ(parse_duration("2d"), 48h);
  EXPECT_EQ(parse_duration("7"), 7s);
  EXPECT_EQ(parse_duration("0.25"), 250ms);
}

TEST(ParseDuration, RefusesTheRest) {
  for (const char* text : {"", "s", "-1s", "1w", "1.s", "0.0001ms", "1e3s", "99999999999999s"}) {
    EXPECT_EQ(parse_duration(text), std::nullopt) << text;
  }
}

TEST(ParseSize, ReadsDecimalAndBinaryUnits) {
  EXPECT_EQ(parse_size("512"), 512u);
  EXPECT_EQ(parse_size("200MB"), 200'000'000u);
  EXPECT_EQ(parse_size("4MiB"), 4u << 20);
  EXPECT_EQ(parse_size("1.5 GiB"), 1536u << 20);
  EXPECT_EQ(parse_size("unlimited"), std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(parse_size("0"), 0u);
}

TEST(ParseSize, RefusesTheRest) {
  for (const char* text : {"", "MB", "-1", "4 mib", "0.5", "1.1234567MB", "999999999TiB"}) {
    EXPECT_EQ(parse_size(text), std::nullopt) << text;
  }
}

TEST(ParseMillionths, IsExact) {
  EXPECT_EQ(parse_millionths("0.15"), 150'000);
  EXPECT_EQ(parse_millionths("2"), 2'000'000);
  EXPECT_EQ(parse_millionths("0.0000001"), std::nullopt);
  EXPECT_EQ(parse_millionths("-1"), std::nullopt);
}

TEST(Format, ReadsBack) {
  for (const auto value :
       std::vector<std::chrono::milliseconds>{0ms, 1ms, 1500ms, 60s, 90min, 48h}) {
    EXPECT_EQ(parse_duration(format_duration(value)), value);
  }
  for (const std::uint64_t value :
       {0ULL, 1ULL, 1023ULL, 1024ULL, 209'715'200ULL, 200'000'000ULL, 1ULL << 40, ~0ULL}) {
    EXPECT_EQ(parse_size(format_size(value)), value);
  }
  EXPECT_EQ(format_duration(90min), "90m");
  EXPECT_EQ(format_size(209'715'200), "200MiB");
  EXPECT_EQ(format_millionths(75'000), "0.075");
  EXPECT_EQ(format_millionths(2'000'000), "2");
}

}  // namespace
}  // namespace offpeak
