#include "platform/http/url.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace offpeak::http
