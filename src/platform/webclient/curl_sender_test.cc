#include "platform/webclient/curl_sender.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netdb.h>

#include <cstdlib>
#include <thread>

#include "platform/webclient/test_receiver.h"

namespace offpeak {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

constexpr auto kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";

/// What the C library makes of a host that is no name, so that a spelling which our parser lets
/// through would reach the trap.
std::vector<IpAddress> numeric_lookup(const std::string& host) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), nullptr, &hints, &found) != 0) return {};
  ::freeaddrinfo(found);
  return system_lookup(host);
}

/// DNS under an attacker's control.
std::vector<IpAddress> hostile_lookup(const std::string& host) {
  const auto all = [](std::initializer_list<const char*> texts) {
    std::vector<IpAddress> addresses;
    for (const char* text : texts) addresses.push_back(*parse_ip(text));
    return addresses;
  };
  if (host == "local.example" || host == "local" || host == "a.b.c.local.example") {
    return all({"127.0.0.1"});
  }
  if (host == "six.example") return all({"::1"});
  if (host == "mixed.example") return all({"8.8.8.8", "127.0.0.1"});
  if (host == "mixed-six.example") return all({"2001:4860:4860::8888", "::1"});
  if (host == "mapped.example") return all({"::ffff:127.0.0.1"});
  if (host == "nat64.example") return all({"64:ff9b::7f00:1"});
  if (host == "sixtofour.example") return all({"2002:7f00:1::1"});
  if (host == "zero.example") return all({"0.0.0.0"});
  if (host == "metadata.example") return all({"169.254.169.254"});
  if (host == "unique-local.example") return all({"fd00:ec2::254"});
  if (host == "private.example") return all({"10.0.0.1"});
  return numeric_lookup(host);
}

/// Hosts that mean this machine, one that it alone can reach, or nothing that is a host.
const char* const kTrapHosts[] = {
    // Plain
    "127.0.0.1", "127.0.0.2", "127.1.2.3", "127.255.255.254", "localhost", "LOCALHOST", "LocalHost",
    "a.localhost", "localhost.localdomain", "0.0.0.0", "0.0.0.1", "10.0.0.1", "172.16.0.1",
    "192.168.0.1", "169.254.169.254", "100.64.0.1", "255.255.255.255", "224.0.0.1",
    // Short forms
    "127.1", "127.0.1", "0", "0.0", "127", "127.65535",
    // Decimal, octal, hexadecimal, mixed
    "2130706433", "2130706434", "4294967295", "4294967297", "17179869185", "0x7f000001",
    "0x7F000001", "0X7f000001", "0x7f.0x0.0x0.0x1", "0x7f.1", "0x7f.0.0.1", "127.0x0.0.1",
    "127.0.0.0x1", "0x0000007f000001", "017700000001", "0177.0.0.1", "0177.0.0.01", "127.0.0.01",
    "00000177.0.0.1", "127.00.00.01", "0177.0x0.0.1", "0x7f.0.1", "0177.1", "012.0.0.1",
    "0251.0376.0251.0376", "0xa9fea9fe", "2852039166", "3232235521", "0xc0a80001",
    // IPv6
    "[::1]", "[0:0:0:0:0:0:0:1]", "[0000::0001]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
    "[0:0:0:0:0:ffff:127.0.0.1]", "[::127.0.0.1]", "[::7f00:1]", "[::ffff:0:127.0.0.1]",
    "[64:ff9b::127.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]",
    "[2002:7f00:0001::1]", "[2001:0:7f00:1::]", "[fe80::1]", "[fe80::1%25lo]", "[fe80::1%lo]",
    "[::1%25lo]", "[fc00::1]", "[fd00:ec2::254]", "[fec0::1]", "[ff02::1]", "[5f00::1]",
    "[2001:db8::1]", "[::ffff:a9fe:a9fe]", "[::1", "::1]", "::1", "[127.0.0.1]", "[localhost]",
    "[v1.127]", "[]",
    // User names
    "user@127.0.0.1", "user:password@127.0.0.1", "example.com@127.0.0.1", "@127.0.0.1",
    "127.0.0.1@example.com", "example.com:443@127.0.0.1", "a:b:c@127.0.0.1",
    "example.com%40127.0.0.1", "8.8.8.8@localhost", "example.com&@127.0.0.1#@",
    // Dots and letters beyond ASCII
    "127.0.0.1.", "localhost.", "127.0.0.1..", "127..0.0.1", ".127.0.0.1", "127。0。0。1",
    "127．0．0．1", "127｡0｡0｡1", "１２７.0.0.1", "①②⑦.⓪.⓪.①", "ⓛocalhost", "ｌｏｃａｌｈｏｓｔ",
    "local\u00adhost", "loc\u200balhost", "xn--localhost-.",
    // Escapes and separators
    "%31%32%37.0.0.1", "127%2e0%2e0%2e1", "%6c%6f%63%61lhost", "localhost%00.example.com",
    "localhost%23.example.com", "example.com\\@127.0.0.1", "127.0.0.1\\", "127.0.0.1;",
    "127.0.0.1,8.8.8.8", "127.0.0.1 ", " 127.0.0.1", "\t127.0.0.1", "127.0.0.1\n", "local host",
    "127.0.0.1\r\nHost: x", "(127.0.0.1)", "127.0.0.1#", "127.0.0.1?@8.8.8.8", "127.0.0.1/8",
    "8.8.8.8#@127.0.0.1", "-127.0.0.1", "+2130706433", "1e9", "127.0.0.1_",
    // Names that DNS maps to where they must not go
    "local.example", "LOCAL.example", "local", "a.b.c.local.example", "six.example",
    "mixed.example", "mixed-six.example", "mapped.example", "nat64.example", "sixtofour.example",
    "zero.example", "metadata.example", "unique-local.example", "private.example"};

class CurlSenderTest : public testing::Test {
 protected:
  static WebhookRequest request(const std::string& url) {
    return {.url = url, .headers = {{"webhook-id", "wh_1"}}, .body = "{}"};
  }
  CurlSender sender(bool allow_private, Lookup lookup = hostile_lookup) {
    return {clock,
            {.allow_private = allow_private,
             .lookup_timeout = 5s,
             .connect_timeout = 2s,
             .total_timeout = timeout},
            std::move(lookup)};
  }
  std::string url(const TestReceiver& receiver, const std::string& host = "127.0.0.1") {
    return fmt::format("http://{}:{}/hook?a=1", host, receiver.port());
  }

  SystemClock clock;
  std::chrono::milliseconds timeout = 5s;
};

TEST_F(CurlSenderTest, NothingReachesTheTrap) {
  const TestReceiver trap(kOk);
  auto careful = sender(false);
  std::size_t urls = 0;
  for (const char* host : kTrapHosts) {
    for (const std::string scheme : {"https", "http"}) {
      const auto text = fmt::format("{}://{}:{}/", scheme, host, trap.port());
      const auto reply = careful.send(request(text));
      EXPECT_EQ(reply.status, 0) << text;
      EXPECT_NE(reply.error, "") << text;
      EXPECT_FALSE(reply.interrupted) << text;
      ++urls;
    }
  }
  EXPECT_GE(urls, 240u);
  EXPECT_EQ(trap.connections(), 0);
}

TEST_F(CurlSenderTest, TheTrapWouldCatch) {
  const TestReceiver trap(kOk);
  auto daring = sender(true);
  EXPECT_EQ(daring.send(request(url(trap, "local.example"))).status, 200);
  EXPECT_EQ(trap.connections(), 1);
}

TEST_F(CurlSenderTest, TheUnusualSpellingsAreRefusedAlsoWherePrivateTargetsAreAllowed) {
  const TestReceiver trap(kOk);
  auto daring = sender(true);
  for (const auto* host : {"2130706433", "0x7f000001", "0177.0.0.1", "127.1", "127.0.0.1.",
                           "[::ffff:127.0.0.1]", "user@127.0.0.1", "127。0。0。1", "0.0.0.0",
                           "mapped.example", "zero.example", "metadata.example"}) {
    EXPECT_EQ(daring.send(request(url(trap, host))).status, 0) << host;
  }
  for (const auto* scheme : {"ftp", "gopher", "file", "dict", "HTTP", "ws", "smtp"}) {
    const auto text = fmt::format("{}://127.0.0.1:{}/", scheme, trap.port());
    EXPECT_EQ(daring.send(request(text)).status, 0) << text;
  }
  EXPECT_EQ(trap.connections(), 0);
}

TEST_F(CurlSenderTest, ANameThatIsFirstUnknownAndThenPrivateIsNotCalled) {
  const TestReceiver trap(kOk);
  int asked = 0;
  auto careful = sender(false, [&](const std::string&) {
    return asked++ == 0 ? std::vector<IpAddress>() : std::vector{*parse_ip("127.0.0.1")};
  });
  const auto text = fmt::format("https://rebound.example:{}/", trap.port());
  EXPECT_TRUE(careful.check(text)) << "may get an address later";
  EXPECT_EQ(careful.send(request(text)).error,
            "The URL's host has an address that is not public, which this server does not call.");
  EXPECT_EQ(asked, 2);
  EXPECT_EQ(trap.connections(), 0);
}

TEST_F(CurlSenderTest, ResolvesOnceAndConnectsToThatAddressUnderTheName) {
  const TestReceiver receiver(kOk);
  int asked = 0;
  auto daring = sender(true, [&](const std::string& host) {
    EXPECT_EQ(host, "receiver.example");
    ++asked;
    return std::vector{*parse_ip("127.0.0.1")};
  });
  EXPECT_EQ(daring.send(request(url(receiver, "Receiver.Example"))).status, 200);
  EXPECT_EQ(asked, 1);
  ASSERT_EQ(receiver.requests().size(), 1u);
  const auto text = receiver.requests()[0];
  EXPECT_THAT(text, testing::StartsWith("POST /hook?a=1 HTTP/1.1\r\n"));
  EXPECT_THAT(text, HasSubstr(fmt::format("Host: receiver.example:{}\r\n", receiver.port())));
  EXPECT_THAT(text, HasSubstr("webhook-id: wh_1\r\n"));
  EXPECT_THAT(text, testing::EndsWith("\r\n\r\n{}"));
  EXPECT_THAT(text, Not(HasSubstr("Expect")));
}

TEST_F(CurlSenderTest, ReachesIpv6) {
  const TestReceiver receiver(kOk);
  auto daring = sender(true);
  EXPECT_EQ(daring.send(request(url(receiver, "six.example"))).status, 200);
  EXPECT_EQ(daring.send(request(url(receiver, "[::1]"))).status, 200);
}

TEST_F(CurlSenderTest, RedirectsAreAnswersAndNotFollowed) {
  const TestReceiver trap(kOk);
  for (const int status : {301, 302, 303, 307, 308}) {
    const TestReceiver receiver(
        fmt::format("HTTP/1.1 {} Moved\r\nLocation: http://127.0.0.1:{}/\r\n"
                    "Content-Length: 0\r\nConnection: close\r\n\r\n",
                    status, trap.port()));
    auto daring = sender(true);
    EXPECT_EQ(daring.send(request(url(receiver))).status, status);
  }
  EXPECT_EQ(trap.connections(), 0);
}

TEST_F(CurlSenderTest, ProxiesOfTheEnvironmentAreNotUsed) {
  const TestReceiver proxy(kOk);
  const TestReceiver receiver("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
  const auto address = fmt::format("http://127.0.0.1:{}", proxy.port());
  for (const auto* name : {"http_proxy", "all_proxy"}) ::setenv(name, address.c_str(), 1);
  auto daring = sender(true);
  EXPECT_EQ(daring.send(request(url(receiver))).status, 204);
  for (const auto* name : {"http_proxy", "all_proxy"}) ::unsetenv(name);
  EXPECT_EQ(proxy.connections(), 0);
}

TEST_F(CurlSenderTest, OfALongAnswerTheStatusCounts) {
  const TestReceiver receiver("HTTP/1.1 500 No\r\nConnection: close\r\n\r\n" +
                              std::string(1 << 20, 'x'));
  auto daring = sender(true);
  EXPECT_EQ(daring.send(request(url(receiver))).status, 500);
}

TEST_F(CurlSenderTest, SaysWhyThereWasNoAnswer) {
  timeout = 300ms;
  auto daring = sender(true);
  std::string closed;
  {
    const TestReceiver receiver(kOk);
    closed = url(receiver);
  }
  EXPECT_EQ(daring.send(request(closed)).error, "No connection to the receiver came about.");
  const TestReceiver silent("");
  EXPECT_EQ(daring.send(request(url(silent))).error, "The receiver did not answer in time.");
  const TestReceiver nonsense("nonsense\r\n\r\n");
  EXPECT_EQ(daring.send(request(url(nonsense))).error, "The connection to the receiver broke off.");
  const auto plain = fmt::format("https://127.0.0.1:{}/", nonsense.port());
  EXPECT_THAT(daring.send(request(plain)).error, HasSubstr("No TLS connection"));
  EXPECT_EQ(daring.send(request("http://unknown.example/")).error,
            "The URL's host name could not be resolved.");
}

TEST_F(CurlSenderTest, CheckSaysWhatWouldNotBeSent) {
  auto careful = sender(false);
  for (const auto* bad : {"http://example.com/", "https://127.0.0.1/", "https://local.example/",
                          "https://mixed.example/", "nonsense"}) {
    const auto checked = careful.check(bad);
    ASSERT_FALSE(checked) << bad;
    EXPECT_EQ(checked.error().kind, ErrorKind::invalid_request);
    EXPECT_EQ(checked.error().param, "url");
  }
  EXPECT_TRUE(careful.check("https://8.8.8.8/"));
  EXPECT_TRUE(sender(true).check("http://local.example/"));
}

TEST_F(CurlSenderTest, StoppingEndsWhatIsBeingSent) {
  timeout = 1h;
  const TestReceiver silent("");
  auto daring = sender(true);
  WebhookReply reply;
  std::thread sending([&] { reply = daring.send(request(url(silent))); });
  while (silent.requests().empty()) std::this_thread::yield();
  daring.stop();
  sending.join();
  EXPECT_TRUE(reply.interrupted);
  EXPECT_TRUE(daring.send(request(url(silent))).interrupted);
}

}  // namespace
}  // namespace offpeak
