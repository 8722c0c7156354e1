#include "platform/crypto/webhook_signature.h"

#include <gtest/gtest.h>

#include "platform/crypto/encoding.h"

namespace offpeak {
namespace {

TEST(WebhookSignature, KnowsTheVectorsOfStandardWebhooks) {
  // The example of the specification's reference libraries.
  EXPECT_EQ(webhook_signature("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
                              R"(msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314})"),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST(WebhookSignature, KnowsTheVectorsOfHmac) {
  // RFC 4231, test case 2: a key that has not our form is taken as it is.
  EXPECT_EQ(webhook_signature("Jefe", "what do ya want for nothing?"),
            "v1,W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=");
}

TEST(WebhookSignature, ChangesWithEveryPart) {
  SeededRandom random(1);
  const auto secret = make_webhook_secret(random);
  EXPECT_NE(webhook_signature(secret, "a.1.{}"), webhook_signature(secret, "a.2.{}"));
  EXPECT_NE(webhook_signature(secret, "a.1.{}"),
            webhook_signature(make_webhook_secret(random), "a.1.{}"));
}

TEST(WebhookSignature, SecretsAreThirtyTwoBytesInBase64) {
  SeededRandom random(1);
  const auto secret = make_webhook_secret(random);
  ASSERT_TRUE(secret.starts_with("whsec_"));
  EXPECT_EQ(decode_base64(secret.substr(6))->size(), 32u);
}

TEST(Encoding, Base64OfTheRfc) {
  // RFC 4648 section 10.
  EXPECT_EQ(encode_base64(""), "");
  EXPECT_EQ(encode_base64("f"), "Zg==");
  EXPECT_EQ(encode_base64("fo"), "Zm8=");
  EXPECT_EQ(encode_base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(encode_base64("\xfb\xff"), "+/8=");
}

}  // namespace
}  // namespace offpeak
