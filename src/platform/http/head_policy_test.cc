#include "platform/http/head_policy.h"

#include <gtest/gtest.h>

namespace offpeak::http {
namespace {

struct HeadCase {
  std::string name;
  std::string head;
  bool accepted;
};

const std::string kHost = "Host: x\r\n";

std::string get(const std::string& headers, const std::string& line = "GET / HTTP/1.1") {
  return line + "\r\n" + headers + "\r\n";
}

std::string many(int count) {
  std::string headers = kHost;
  for (int i = 1; i < count; ++i) headers += "X-" + std::to_string(i) + ": y\r\n";
  return headers;
}

class HeadPolicy : public testing::TestWithParam<HeadCase> {};

TEST_P(HeadPolicy, Decides) {
  const auto problem = check_head(GetParam().head);
  EXPECT_EQ(!problem.has_value(), GetParam().accepted) << problem.value_or("accepted");
}

INSTANTIATE_TEST_SUITE_P(
    Heads, HeadPolicy,
    testing::Values(
        HeadCase{"Plain", get(kHost), true},
        HeadCase{"Http10NeedsNoHost", get("", "GET / HTTP/1.0"), true},
        HeadCase{"LengthOnly", get(kHost + "Content-Length: 4\r\n"), true},
        HeadCase{"ChunkedOnly", get(kHost + "Transfer-Encoding: Chunked\r\n"), true},
        HeadCase{"AbsoluteFormOfTheSameHost", get(kHost, "GET http://X/a HTTP/1.1"), true},
        HeadCase{"HundredHeaders", get(many(100)), true},
        HeadCase{"EmptyValue", get(kHost + "X:\r\n"), true},
        HeadCase{"HighBytesInValue", get(kHost + "X: \xC3\xA9\r\n"), true},
        HeadCase{"NoHost", get(""), false}, HeadCase{"TwoHosts", get(kHost + kHost), false},
        HeadCase{"HostWithPath", get("Host: a/b\r\n"), false},
        HeadCase{"HostList", get("Host: a, b\r\n"), false},
        HeadCase{"ObsFold", get(kHost + "X: a\r\n b\r\n"), false},
        HeadCase{"FoldedFirstHeader", get(" Host: x\r\n"), false},
        HeadCase{"EqualLengthsTwice", get(kHost + "Content-Length: 4\r\nContent-Length: 4\r\n"),
                 false},
        HeadCase{"LengthList", get(kHost + "Content-Length: 4, 4\r\n"), false},
        HeadCase{"SignedLength", get(kHost + "Content-Length: +4\r\n"), false},
        HeadCase{"NegativeLength", get(kHost + "Content-Length: -4\r\n"), false},
        HeadCase{"HexLength", get(kHost + "Content-Length: 0x4\r\n"), false},
        HeadCase{"EmptyLength", get(kHost + "Content-Length:\r\n"), false},
        HeadCase{"HugeLength", get(kHost + "Content-Length: 99999999999999999999\r\n"), false},
        HeadCase{"LengthAndChunked",
                 get(kHost + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n"), false},
        HeadCase{"ChunkedTwice",
                 get(kHost + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
                 false},
        HeadCase{"UnknownEncoding", get(kHost + "Transfer-Encoding: xchunked\r\n"), false},
        HeadCase{"EncodingList", get(kHost + "Transfer-Encoding: gzip, chunked\r\n"), false},
        HeadCase{"EncodingIn10", get(kHost + "Transfer-Encoding: chunked\r\n", "POST / HTTP/1.0"),
                 false},
        HeadCase{"AbsoluteFormOfAnotherHost", get(kHost, "GET http://y/a HTTP/1.1"), false},
        HeadCase{"AbsoluteFormWithoutScheme", get(kHost, "GET ://x/a HTTP/1.1"), false},
        HeadCase{"SchemeInTheQuery", get(kHost, "GET x?q=://x/ HTTP/1.1"), false},
        HeadCase{"AuthorityForm", get(kHost, "CONNECT x:443 HTTP/1.1"), false},
        HeadCase{"SpaceBeforeColon", get(kHost + "X : a\r\n"), false},
        HeadCase{"NoColon", get(kHost + "nonsense\r\n"), false},
        HeadCase{"EmptyName", get(kHost + ": a\r\n"), false},
        HeadCase{"NulInName", get(kHost + std::string("X\0Y: a\r\n", 8)), false},
        HeadCase{"NulInValue", get(kHost + std::string("X: a\0b\r\n", 8)), false},
        HeadCase{"EscapeInValue", get(kHost + "X: \x1b[2J\r\n"), false},
        HeadCase{"BareLineFeed", "GET / HTTP/1.1\nHost: x\n\r\n", false},
        HeadCase{"BareCarriageReturn", get(kHost + "X: a\rY: b\r\n"), false},
        HeadCase{"LeadingEmptyLine", "\r\n" + get(kHost), false},
        HeadCase{"SpaceInTarget", get(kHost, "GET /a b HTTP/1.1"), false},
        HeadCase{"ControlInTarget", get(kHost, "GET /\x01 HTTP/1.1"), false},
        HeadCase{"FragmentInTarget", get(kHost, "GET /a#b HTTP/1.1"), false},
        HeadCase{"RelativeTarget", get(kHost, "GET a HTTP/1.1"), false},
        HeadCase{"TwoSpaces", get(kHost, "GET  / HTTP/1.1"), false},
        HeadCase{"NoVersion", get(kHost, "GET /"), false},
        HeadCase{"Http2", get(kHost, "PRI * HTTP/2.0"), false},
        HeadCase{"LowerCaseVersion", get(kHost, "GET / http/1.1"), false},
        HeadCase{"BadMethod", get(kHost, "G(T / HTTP/1.1"), false},
        HeadCase{"TooManyHeaders", get(many(101)), false},
        HeadCase{"TlsHello", "\x16\x03\x01\x02\r\n\r\n", false}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace offpeak::http
