#include "platform/crypto/secret_box.h"

#include <gtest/gtest.h>

namespace offpeak {
namespace {

class SecretBoxTest : public testing::Test {
 protected:
  SeededRandom random{7};
  SecretBox::Key key = make_secret_key(random);
  SecretBox box{key, random};
};

TEST_F(SecretBoxTest, OpensWhatItSealed) {
  for (const auto& secret : {std::string(), std::string("whsec_abc"), std::string(1 << 20, 'x')}) {
    const auto sealed = box.seal(secret, "whe_1");
    EXPECT_EQ(box.open(sealed, "whe_1"), secret);
    EXPECT_TRUE(secret.empty() || !sealed.contains(secret));
  }
}

TEST_F(SecretBoxTest, TheSameSecretNeverLooksTheSame) {
  EXPECT_NE(box.seal("secret", "whe_1"), box.seal("secret", "whe_1"));
}

TEST_F(SecretBoxTest, OpensNothingElse) {
  const auto sealed = box.seal("secret", "whe_1");
  EXPECT_EQ(box.open(sealed, "whe_2"), std::nullopt) << "another owner";
  SecretBox::Key other_key = key;
  other_key[0] ^= 1;
  EXPECT_EQ(SecretBox(other_key, random).open(sealed, "whe_1"), std::nullopt) << "another key";
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    auto changed = sealed;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_EQ(box.open(changed, "whe_1"), std::nullopt) << i;
  }
  for (const auto* text : {"", "AAAA", "not base64"}) {
    EXPECT_EQ(box.open(text, "whe_1"), std::nullopt) << text;
  }
}

TEST_F(SecretBoxTest, KeysAreWrittenAsHex) {
  EXPECT_EQ(to_hex(key).size(), 64u);
  EXPECT_EQ(parse_secret_key(to_hex(key)), key);
  for (const std::string text : {"", "00", "zz"}) EXPECT_FALSE(parse_secret_key(text)) << text;
  EXPECT_FALSE(parse_secret_key(std::string(63, '0') + "x"));
}

}  // namespace
}  // namespace offpeak
