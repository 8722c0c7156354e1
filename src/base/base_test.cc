#include <gmock/gmock.h>

#include <cerrno>
#include <set>
#include <type_traits>

#include "base/clock.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/id.h"
#include "base/random.h"

namespace offpeak {
namespace {

static_assert(!std::is_constructible_v<BatchId, FileId>);
static_assert(!std::is_convertible_v<std::string, FileId>);

TEST(Error, DiskFullIsItsOwnKind) {
  EXPECT_EQ(errno_error("write", ENOSPC).kind, ErrorKind::storage_full);
  EXPECT_EQ(errno_error("write", EDQUOT).kind, ErrorKind::storage_full);
  EXPECT_EQ(errno_error("open", ENOENT).kind, ErrorKind::not_found);
  EXPECT_EQ(errno_error("write", EIO).kind, ErrorKind::internal);
  EXPECT_THAT(errno_error("write x", EIO).message, testing::StartsWith("write x: "));
}

TEST(Random, AlphanumericIsUniformEnoughAndOfTheRightLength) {
  SeededRandom random(7);
  std::set<char> seen;
  for (const char c : random.alphanumeric(5000)) {
    EXPECT_TRUE(std::isalnum(static_cast<unsigned char>(c)));
    seen.insert(c);
  }
  EXPECT_EQ(seen.size(), 62u);
  EXPECT_EQ(random.hex(33).size(), 33u);
}

TEST(Random, SystemRandomDoesNotRepeat) {
  SystemRandom random;
  EXPECT_NE(random.hex(32), random.hex(32));
  EXPECT_LT(random.unit(), 1.0);
}

TEST(Clock, ManualClockMovesBothReadingsTogether) {
  ManualClock clock(WallTime(std::chrono::seconds(1'700'000'000)));
  const auto before = clock.steady_now();
  clock.advance(std::chrono::milliseconds(1500));
  EXPECT_EQ(clock.steady_now() - before, std::chrono::milliseconds(1500));
  EXPECT_EQ(clock.unix_now().time_since_epoch().count(), 1'700'000'001);
}

TEST(Hash, ZerosAreNotAValidChecksumOfThemselves) {
  EXPECT_NE(checksum32(std::string(60, '\0')), 0u);
  EXPECT_NE(hash64("a", 1), hash64("a", 2));
}

}  // namespace
}  // namespace offpeak
