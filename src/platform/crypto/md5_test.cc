#include "platform/crypto/md5.h"

#include <gtest/gtest.h>

#include "platform/crypto/encoding.h"

namespace offpeak {
namespace {

TEST(Md5Test, DigestsOfTheRfc) {
  EXPECT_EQ(encode_base64(Md5().finish()), "1B2M2Y8AsgTpgAmY7PhCfg==");
  Md5 md5;
  md5.update("message ");
  md5.update("digest");
  EXPECT_EQ(encode_base64(md5.finish()), "+WtpfXy3k41SWi8xqvFh0A==");  // RFC 1321, A.5
}

}  // namespace
}  // namespace offpeak
