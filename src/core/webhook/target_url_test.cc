#include "core/webhook/target_url.h"

#include <gtest/gtest.h>

namespace offpeak {
namespace {

struct Good {
  const char* url;
  bool allow_private;
  const char* text;
};

TEST(TargetUrl, ReadsWhatIsPlain) {
  const Good cases[] = {
      {"https://example.com", false, "https://example.com:443/"},
      {"https://EXAMPLE.com:8443/a/b?c=d&e=%2F", false, "https://example.com:8443/a/b?c=d&e=%2F"},
      {"https://example.com?x=1", false, "https://example.com:443/?x=1"},
      {"https://8.8.8.8/x", false, "https://8.8.8.8:443/x"},
      {"https://[2001:4860:4860:0::8888]:1/", false, "https://[2001:4860:4860::8888]:1/"},
      {"https://xn--bcher-kva.example/", false, "https://xn--bcher-kva.example:443/"},
      {"https://a-b_c.example/../x", false, "https://a-b_c.example:443/../x"},
      {"http://example.com/x", true, "http://example.com:80/x"},
      {"http://127.0.0.1:9/x", true, "http://127.0.0.1:9/x"},
      {"http://[::1]/", true, "http://[::1]:80/"},
      {"https://localhost:1", true, "https://localhost:1/"},
  };
  for (const Good& one : cases) {
    const auto url = parse_target_url(one.url, one.allow_private);
    ASSERT_TRUE(url) << one.url << ": " << url.error().message;
    EXPECT_EQ(url->text(), one.text);
  }
}

TEST(TargetUrl, RefusesWhatCouldMeanSomethingElse) {
  for (const std::string text : {"",
                                 "example.com",
                                 "//example.com",
                                 "ftp://example.com",
                                 "file:///etc/passwd",
                                 "HTTPS//example.com",
                                 "https:example.com",
                                 "https:/example.com",
                                 "https://",
                                 "https:///path",
                                 "https://user@example.com",
                                 "https://user:pw@example.com",
                                 "https://@example.com",
                                 "https://example.com:0",
                                 "https://example.com:65536",
                                 "https://example.com:",
                                 "https://example.com:8o",
                                 "https://example.com:+80",
                                 "https://example.com:080",
                                 "https://example.com:80:90",
                                 "https://example.com#x",
                                 "https://example.com/#x",
                                 "https://example.com/a b",
                                 "https://example.com/\n",
                                 "https://example.com/\\evil",
                                 "https://example.com\\@evil.com",
                                 "https://exa mple.com",
                                 "https://example.com./",
                                 "https://.example.com",
                                 "https://a..b",
                                 "https://ex%61mple.com",
                                 "https://127.0.0.1%2f.example.com",
                                 "https://bücher.example",
                                 "https://example。com",
                                 "https://example.com/ü",
                                 "https://[::1",
                                 "https://::1/",
                                 "https://[v1.x]/",
                                 "https://[fe80::1%25eth0]/",
                                 "https://[127.0.0.1]/",
                                 "https://[::1]x/",
                                 " https://a.b",
                                 "https://2130706433/",
                                 "https://0x7f000001/",
                                 "https://017700000001/",
                                 "https://127.1/",
                                 "https://0177.0.0.1/",
                                 "https://0x7f.0.0.1/",
                                 "https://127.0.0.0x1/",
                                 "https://1.2.3.4.5/",
                                 "https://example.0x/",
                                 "https://256.1.1.1/"}) {
    for (const bool allow_private : {false, true}) {
      const auto url = parse_target_url(text, allow_private);
      ASSERT_FALSE(url) << text;
      EXPECT_EQ(url.error().param, "url") << text;
      EXPECT_EQ(url.error().code, "invalid_value") << text;
    }
  }
  EXPECT_FALSE(parse_target_url("https://example.com/" + std::string(2048, 'x'), false));
}

TEST(TargetUrl, PrivateTargetsAndHttpNeedTheSetting) {
  for (const auto* text :
       {"http://example.com/", "https://127.0.0.1/", "https://10.1.2.3/", "https://[::1]/",
        "https://[fd00::1]/", "https://localhost/", "https://a.localhost/", "https://LOCALHOST/"}) {
    const auto refused = parse_target_url(text, false);
    ASSERT_FALSE(refused) << text;
    EXPECT_NE(refused.error().message.find("webhooks.allow_private_targets"), std::string::npos);
    EXPECT_TRUE(parse_target_url(text, true)) << text;
  }
}

TEST(TargetUrl, SomeAddressesAreNeverCalled) {
  for (const auto* text : {"https://169.254.169.254/", "https://0.0.0.0/", "https://[fe80::1]/",
                           "https://224.0.0.1/", "https://[::ffff:127.0.0.1]/", "https://[::]/"}) {
    EXPECT_FALSE(parse_target_url(text, true)) << text;
  }
}

}  // namespace
}  // namespace offpeak
