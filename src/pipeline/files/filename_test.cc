#include "pipeline/files/filename.h"

#include <gtest/gtest.h>

namespace offpeak {
namespace {

struct NameCase {
  std::string sent;
  std::string stored;
};

class Filename : public testing::TestWithParam<NameCase> {};

TEST_P(Filename, IsStored) {
  EXPECT_EQ(stored_filename(GetParam().sent), GetParam().stored);
}

INSTANTIATE_TEST_SUITE_P(
    Names, Filename,
    testing::Values(NameCase{"in.jsonl", "in.jsonl"}, NameCase{"../../etc/in.jsonl", "in.jsonl"},
                    NameCase{"C:\\data\\in.jsonl", "in.jsonl"},
                    NameCase{"a\"b.jsonl", "a\"b.jsonl"},
                    NameCase{"naïve 日本.jsonl", "naïve 日本.jsonl"}, NameCase{"", "upload"},
                    NameCase{"dir/", "upload"}, NameCase{"..", "upload"}, NameCase{"./.", "upload"},
                    NameCase{"a\tb\x01\x7F.jsonl", "a_b__.jsonl"},
                    NameCase{"\xFF\xC3.jsonl", "\xEF\xBF\xBD\xEF\xBF\xBD.jsonl"}));

TEST(Filename, HasAGreatestLength) {
  EXPECT_TRUE(stored_filename("dir/" + std::string(kFilenameBytesMax, 'x')));
  const auto refused = stored_filename(std::string(kFilenameBytesMax + 1, 'x'));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().param, "filename");
}

}  // namespace
}  // namespace offpeak
