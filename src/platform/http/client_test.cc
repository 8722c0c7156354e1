#include "platform/http/client.h"

#include <gtest/gtest.h>

namespace offpeak::http {
namespace {

TEST(Endpoint, AuthorityLeavesTheDefaultPortOut) {
  EXPECT_EQ((Endpoint{.host = "127.0.0.1", .port = 8000}.authority()), "127.0.0.1:8000");
  EXPECT_EQ((Endpoint{.tls = true, .host = "api.example.com", .port = 443}.authority()),
            "api.example.com");
  EXPECT_EQ((Endpoint{.tls = true, .host = "x", .port = 80}.authority()), "x:80");
  EXPECT_EQ((Endpoint{.host = "::1", .port = 80}.authority()), "[::1]");
}

}  // namespace
}  // namespace offpeak::http
