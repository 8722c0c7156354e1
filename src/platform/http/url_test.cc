#include "platform/http/url.h"

#include <gtest/gtest.h>

#include "platform/http/address.h"

namespace offpeak::http {
namespace {

TEST(Url, DecodesAndRefusesBrokenEscapes) {
  EXPECT_EQ(percent_decode("org%2Fname:ft@x%20y"), "org/name:ft@x y");
  EXPECT_EQ(percent_decode("%"), std::nullopt);
  EXPECT_EQ(percent_decode("%4"), std::nullopt);
  EXPECT_EQ(percent_decode("%zz"), std::nullopt);
  EXPECT_EQ(percent_decode("a%00b"), std::nullopt);
  EXPECT_EQ(percent_encode("a/b é"), "a%2Fb%20%C3%A9");
}

TEST(Url, ParsesQueriesAsTheSdksSendThem) {
  const auto pairs = parse_query("group_by%5B%5D=model&limit=5&after=&x&bad=%zz&q=a+b");
  EXPECT_EQ(query_value(pairs, "group_by[]"), "model");
  EXPECT_EQ(query_value(pairs, "limit"), "5");
  EXPECT_EQ(query_value(pairs, "after"), std::nullopt);
  EXPECT_EQ(query_value(pairs, "bad"), std::nullopt);
  EXPECT_EQ(query_value(pairs, "q"), "a b");
  EXPECT_TRUE(parse_query("").empty());
}

TEST(Address, NeedsHostAndPort) {
  EXPECT_EQ(parse_address("127.0.0.1:2424")->port, 2424);
  EXPECT_EQ(parse_address("[::1]:80")->host, "::1");
  for (const auto* bad : {"", ":80", "host", "host:", "host:x", "host:70000", "host:80x"}) {
    EXPECT_FALSE(parse_address(bad)) << bad;
  }
}

}  // namespace
}  // namespace offpeak::http
