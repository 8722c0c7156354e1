#include "platform/config/base_url.h"

#include <gtest/gtest.h>

namespace offpeak {
namespace {

TEST(BaseUrl, NormalisesToOneForm) {
  const struct {
    const char* given;
    const char* normal;
  } cases[] = {
      {"http://127.0.0.1:8000", "http://127.0.0.1:8000"},
      {"http://127.0.0.1:8000/", "http://127.0.0.1:8000"},
      {"http://127.0.0.1:8000/v1", "http://127.0.0.1:8000"},
      {"https://host/openai/v1/", "https://host/openai"},
      {"https://host:443", "https://host"},
      {"http://[::1]:81/v1", "http://[::1]:81"},
      {"http://host/v1beta", "http://host/v1beta"},
  };
  for (const auto& one : cases) {
    const auto url = parse_base_url(one.given);
    ASSERT_TRUE(url) << one.given;
    EXPECT_EQ(url->text(), one.normal);
  }
}

TEST(BaseUrl, RefusesWhatItCannotCall) {
  for (const char* text : {"", "127.0.0.1:8000", "ftp://host", "http://", "http://:80",
                           "http://host:0", "http://host:65536", "http://host:x", "http://a b",
                           "http://host/a?b=1", "http://host/#x", "http://[::1", "http://::1"}) {
    EXPECT_FALSE(parse_base_url(text)) << text;
  }
}

TEST(BaseUrl, RefusesCredentialsWithoutRepeatingThem) {
  const auto url = parse_base_url("http://user:secret@host");
  ASSERT_FALSE(url);
  EXPECT_EQ(url.error(), "a URL without a user name or password");
}

TEST(BaseUrl, KnowsItsParts) {
  const auto url = parse_base_url("https://api.host:8443/openai/v1");
  ASSERT_TRUE(url);
  EXPECT_TRUE(url->tls);
  EXPECT_EQ(url->host, "api.host");
  EXPECT_EQ(url->port, 8443);
  EXPECT_EQ(url->prefix, "/openai");
  EXPECT_FALSE(url->is_loopback());
  EXPECT_TRUE(parse_base_url("http://[::1]:1")->is_loopback());
}

TEST(HostPort, NeedsBoth) {
  EXPECT_EQ(parse_host_port("[::]:0")->host, "::");
  EXPECT_EQ(parse_host_port("0.0.0.0:80")->port, 80);
  for (const char* text : {"", "2424", "host", "host:", ":1", "host:99999", "::1:80"}) {
    EXPECT_FALSE(parse_host_port(text)) << text;
  }
}

}  // namespace
}  // namespace offpeak
