#include "sim/request_parser.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace offpeak::sim {
namespace {

using State = RequestParser::State;

const std::string kLength =
    "POST /v1/chat/completions?x=1 HTTP/1.1\r\nHost: a\r\nIdempotency-Key: k-1\r\n"
    "X-Offpeak-Attempt:  3 \r\ncontent-length: 11\r\n\r\n{\"a\":\"b\r\n\"}";
const std::string kChunked =
    "POST /v1/embeddings HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    "3\r\n{\"a\r\nA;ext=1\r\n\":12345678\r\n1\r\n}\r\n0\r\nTrailer: x\r\n\r\n";
const std::string kGet = "GET /health HTTP/1.1\r\nConnection: close\r\n\r\n";

/// Shows the parser one more prefix at each of `cuts`, each at another address.
State feed(RequestParser& parser, const std::string& text, const std::vector<std::size_t>& cuts,
           std::string& last) {
  auto state = State::need_more;
  for (const auto cut : cuts) {
    last = std::string(text, 0, cut);
    state = parser.parse(last);
    if (state != State::need_more) break;
  }
  return state;
}

TEST(RequestParser, EverySplitInThreeGivesTheSame) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {kLength, "{\"a\":\"b\r\n\"}"}, {kChunked, "{\"a\":12345678}"}, {kGet, ""}};
  for (const auto& [text, body] : cases) {
    for (std::size_t first = 0; first < text.size(); ++first) {
      for (std::size_t second = first; second < text.size(); ++second) {
        RequestParser parser;
        std::string last;
        ASSERT_EQ(feed(parser, text, {first, second, text.size()}, last), State::complete);
        ASSERT_EQ(last.size(), text.size()) << "complete too early";
        ASSERT_EQ(parser.consumed(), text.size());
        ASSERT_EQ(parser.request().body, body) << first << " " << second;
      }
    }
  }
}

TEST(RequestParser, ReadsWhatTheLogWants) {
  RequestParser parser;
  ASSERT_EQ(parser.parse(kLength), State::complete);
  const auto request = parser.request();
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.path, "/v1/chat/completions");
  EXPECT_EQ(request.idempotency_key, "k-1");
  EXPECT_EQ(request.attempt, "3");
  EXPECT_TRUE(request.keep_alive);
}

TEST(RequestParser, LeavesThePipelinedRequestAlone) {
  const auto both = kChunked + kGet;
  RequestParser parser;
  ASSERT_EQ(parser.parse(both), State::complete);
  ASSERT_EQ(parser.consumed(), kChunked.size());
  parser.reset();
  ASSERT_EQ(parser.parse(std::string_view(both).substr(kChunked.size())), State::complete);
  EXPECT_EQ(parser.request().path, "/health");
  EXPECT_FALSE(parser.request().keep_alive);
  EXPECT_EQ(parser.request().body, "");
}

TEST(RequestParser, SaysOnceThatTheClientWaitsForContinue) {
  RequestParser parser;
  const std::string head = "POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n";
  EXPECT_EQ(parser.parse(head.substr(0, 20)), State::need_more);
  EXPECT_FALSE(parser.take_expect_continue());
  EXPECT_EQ(parser.parse(head), State::need_more);
  EXPECT_TRUE(parser.take_expect_continue());
  EXPECT_FALSE(parser.take_expect_continue());
}

TEST(RequestParser, RefusesNonsense) {
  for (const std::string text :
       {"\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/2\r\n\r\n", "GET / HTTP/1.1\r\nno colon\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 1x\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n"}) {
    RequestParser parser;
    EXPECT_EQ(parser.parse(text), State::bad) << text;
  }
}

}  // namespace
}  // namespace offpeak::sim
