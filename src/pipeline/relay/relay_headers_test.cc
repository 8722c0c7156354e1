#include "pipeline/relay/relay_headers.h"

#include <gmock/gmock.h>

namespace offpeak {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::vector<std::string> crossing(const std::vector<http::Header>& reply) {
  const WallTime now = std::chrono::sys_days(std::chrono::year(2026) / 1 / 1);
  std::vector<std::string> names;
  for (const auto& header : client_headers(reply, now)) {
    names.push_back(header.name + ": " + header.value);
  }
  return names;
}

TEST(ClientHeaders, OnlyWhatIsMeantForClientsCrosses) {
  EXPECT_THAT(crossing({{"Content-Type", "a/b"},
                        {"Server", "x"},
                        {"Date", "x"},
                        {"Set-Cookie", "x"},
                        {"Connection", "x"},
                        {"Transfer-Encoding", "x"},
                        {"Content-Length", "5"},
                        {"X-Request-Id", "x"},
                        {"X-RateLimit-Foo", "1"},
                        {"OpenAI-Model", "m"},
                        {"openai-version", "x"},
                        {"OpenAI-Project", "x"},
                        {"openai-processing-ms", "x"},
                        {"Location", "x"},
                        {"x-should-retry", "false"},
                        {"Cache-Control", "no-cache"},
                        {"WWW-Authenticate", "x"}}),
              ElementsAre("Content-Type: a/b", "X-RateLimit-Foo: 1", "OpenAI-Model: m",
                          "x-should-retry: false", "Cache-Control: no-cache"));
}

TEST(ClientHeaders, WaitsAreBounded) {
  EXPECT_THAT(crossing({{"Retry-After", "0"}}), ElementsAre("retry-after: 1"));
  EXPECT_THAT(crossing({{"Retry-After", "59"}}), ElementsAre("retry-after: 59"));
  EXPECT_THAT(crossing({{"Retry-After", "3000"}}), ElementsAre("retry-after: 60"));
  EXPECT_THAT(crossing({{"Retry-After", "Thu, 01 Jan 2026 00:00:30 GMT"}}),
              ElementsAre("retry-after: 30"));
  EXPECT_THAT(crossing({{"Retry-After", "soon"}}), ElementsAre());
  EXPECT_THAT(crossing({{"retry-after-ms", "1500"}, {"Retry-After", "9"}}),
              ElementsAre("retry-after-ms: 1500", "retry-after: 2"));
  EXPECT_THAT(crossing({{"retry-after-ms", "5"}}),
              ElementsAre("retry-after-ms: 1000", "retry-after: 1"));
}

TEST(UpstreamHead, CarriesOurKeyAndNothingOfTheClients) {
  UpstreamSettings upstream;
  upstream.endpoint = {.host = "h", .port = 8000, .prefix = "/base"};
  upstream.api_key = "theirs";
  std::string body = "{}";
  const RelayRequest request{.path = "/v1/embeddings",
                             .query = "a=b",
                             .content_type = "",
                             .accept = "",
                             .client_request_id = "mine",
                             .request_id = "req_1",
                             .body = body};
  const std::string head = upstream_head(upstream, request, 2);
  EXPECT_THAT(head,
              testing::StartsWith("POST /base/v1/embeddings?a=b HTTP/1.1\r\nhost: h:8000\r\n"));
  EXPECT_THAT(head, HasSubstr("authorization: Bearer theirs\r\n"));
  EXPECT_THAT(head, HasSubstr("content-type: application/json\r\n"));
  EXPECT_THAT(head, HasSubstr("x-client-request-id: mine\r\n"));
  EXPECT_THAT(head, testing::EndsWith("content-length: 2\r\n\r\n"));
  upstream.api_key.clear();
  EXPECT_THAT(upstream_head(upstream, request, 2), Not(HasSubstr("authorization")));
}

}  // namespace
}  // namespace offpeak
