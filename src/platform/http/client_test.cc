#include "platform/http/client.h"

#include <gtest/gtest.h>

namespace offpeak::http {
namespace {

TEST(Endpoint, ParsesBaseUrls) {
  const auto plain = parse_endpoint("http://127.0.0.1:8000/v1/");
  ASSERT_TRUE(plain);
  EXPECT_FALSE(plain->tls);
  EXPECT_EQ(plain->port, 8000);
  EXPECT_EQ(plain->prefix, "/v1");
  EXPECT_EQ(plain->authority(), "127.0.0.1:8000");
  const auto tls = parse_endpoint("https://api.example.com");
  ASSERT_TRUE(tls);
  EXPECT_TRUE(tls->tls);
  EXPECT_EQ(tls->authority(), "api.example.com");
  EXPECT_EQ(parse_endpoint("http://[::1]/x")->authority(), "[::1]");
  for (const auto* bad : {"", "ftp://x", "http://", "http://u:p@x", "http://x:99999", "x:80"}) {
    EXPECT_FALSE(parse_endpoint(bad)) << bad;
  }
}

}  // namespace
}  // namespace offpeak::http
