#include "platform/crypto/api_key.h"

#include <gtest/gtest.h>

#include "platform/crypto/encoding.h"

namespace offpeak {
namespace {

TEST(ApiKey, HasPrefixLengthAndChecksum) {
  SeededRandom random(1);
  const auto key = make_api_key(random);
  EXPECT_EQ(key.size(), 40u);
  EXPECT_TRUE(is_well_formed_api_key(key));
  EXPECT_NE(make_api_key(random), key);
}

TEST(ApiKey, ATypoIsNotWellFormed) {
  SeededRandom random(1);
  const auto key = make_api_key(random);
  for (std::size_t i = 4; i < key.size(); ++i) {
    auto typo = key;
    typo[i] = typo[i] == 'a' ? 'b' : 'a';
    EXPECT_FALSE(is_well_formed_api_key(typo)) << i;
  }
  for (const auto* foreign : {"", "opk_", "sk-abc", "test"}) {
    EXPECT_FALSE(is_well_formed_api_key(foreign));
  }
}

TEST(ApiKey, RedactionHidesTheMiddle) {
  EXPECT_EQ(redacted_key("opk_ABCDEFGHIJKLMNOPQRSTUVWXYZ"), "opk_AB********************WXYZ");
  EXPECT_EQ(redacted_key("short"), "*****");
}

TEST(Encoding, Base64) {
  EXPECT_EQ(decode_base64("OmtleQ=="), ":key");
  EXPECT_EQ(decode_base64("YWJj"), "abc");
  for (const auto* bad : {"", "abc", "a!c=", "===="}) {
    EXPECT_NE(decode_base64(bad).value_or("none"), "abc") << bad;
  }
}

TEST(Encoding, ComparesWhole) {
  EXPECT_TRUE(constant_time_equal("abc", "abc"));
  EXPECT_FALSE(constant_time_equal("abc", "abd"));
  EXPECT_FALSE(constant_time_equal("abc", "ab"));
}

TEST(ApiKey, Sha256KnowsItsTestVector) {
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace
}  // namespace offpeak
