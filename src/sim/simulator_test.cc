#include "sim/simulator.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <boost/json.hpp>

#include "base/hash.h"
#include "sim/input_buffer.h"

namespace offpeak::sim {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::string_view kChat =
    R"({"model":"sim-model","seed":1000000000000000000000000000000,"max_tokens":5,)"
    R"("messages":[{"role":"system","content":"be \"brief\""},)"
    R"({"role":"user","content":"h\u00e9llo \"you\""}]})";

class SimulatorTest : public testing::Test {
 protected:
  SimulatorTest() { options_.models = {"sim-model"}; }

  /// The raw answer to one request that is answered at once.
  std::string ask(std::string_view path, std::string_view body, std::string_view method = "POST") {
    if (!simulator_) simulator_.emplace(options_, log_);
    body_ = std::string(body);
    body_.reserve(body.size() + 64);
    const HttpRequest request{.method = method, .path = path, .body = body_};
    EXPECT_TRUE(simulator_->begin(1, request, exchange_, {.unix_seconds = 1'700'000'000}));
    simulator_->end(1, exchange_, Sent::all, 0);
    return exchange_.answer.bytes;
  }
  static std::string body_of(std::string_view answer) {
    return std::string(answer.substr(answer.find("\r\n\r\n") + 4));
  }
  void fault(std::string_view text) { options_.faults = {parse_fault(text).value()}; }
  std::string chat_body() { return body_of(ask("/v1/chat/completions", kChat)); }

  Options options_;
  AttemptLog log_;
  std::optional<Simulator> simulator_;
  Exchange exchange_;
  std::string body_;
};

TEST_F(SimulatorTest, AChatAnswerCanBeJoinedToItsRequest) {
  const auto answer = boost::json::parse(body_of(ask("/v1/chat/completions", kChat)));
  EXPECT_EQ(answer.at("offpeak_sim").at("body_xxh3").as_string(),
            fmt::format("{:016x}", hash64(kChat, 0)));
  EXPECT_EQ(answer.at("usage").at("prompt_tokens").to_number<std::size_t>(),
            (kChat.size() + 3) / 4);
  EXPECT_EQ(answer.at("usage").at("completion_tokens").as_int64(), 5);
  const auto& choice = answer.at("choices").at(0);
  EXPECT_EQ(choice.at("finish_reason").as_string(), "length");
  EXPECT_THAT(std::string(choice.at("message").at("content").as_string()),
              EndsWith(": h\u00e9llo \"you\""));
}

TEST_F(SimulatorTest, TheSameRequestGivesTheSameAnswerButForItsNumber) {
  auto first = chat_body();
  auto second = chat_body();
  EXPECT_NE(first, second);
  first.resize(first.rfind("\"seq\""));
  second.resize(second.rfind("\"seq\""));
  EXPECT_EQ(first, second);
}

TEST_F(SimulatorTest, EmbeddingsComeAsFloatsAndAsBase64OfTheSameFloats) {
  options_.embedding_dimensions = 3;
  const auto floats =
      boost::json::parse(body_of(ask("/embeddings", R"({"model":"sim-model","input":["a","b"]})")));
  EXPECT_EQ(floats.at("data").as_array().size(), 2u);
  EXPECT_EQ(floats.at("data").at(1).at("embedding").as_array().size(), 3u);
  const auto base64 = boost::json::parse(body_of(
      ask("/v1/embeddings", R"({"model":"sim-model","input":"a","encoding_format":"base64"})")));
  EXPECT_EQ(base64.at("data").at(0).at("embedding").as_string().size(), 16u);
}

TEST_F(SimulatorTest, AStreamEndsWithUsageAndDone) {
  const auto stream =
      body_of(ask("/v1/chat/completions", R"({"model":"sim-model","stream":true,"messages":[],)"
                                          R"("stream_options":{"include_usage":true}})"));
  EXPECT_THAT(stream, HasSubstr("\r\ndata: {"));
  EXPECT_THAT(stream, HasSubstr(R"("choices":[],"usage":{"prompt_tokens")"));
  EXPECT_THAT(stream, EndsWith("\r\ne\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"));
  EXPECT_GT(exchange_.answer.pauses.size(), 5u);
}

TEST_F(SimulatorTest, AResponsesStreamEndsWithTheWholeResponse) {
  const auto stream =
      body_of(ask("/v1/responses", R"({"model":"sim-model","stream":true,"input":"hello"})"));
  const auto last = stream.substr(stream.rfind("data: ") + 6);
  const auto event = boost::json::parse(last.substr(0, last.find("\n\n")));
  EXPECT_EQ(event.at("type").as_string(), "response.completed");
  EXPECT_GT(event.at("response").at("usage").at("output_tokens").as_int64(), 0);
  EXPECT_THAT(stream, HasSubstr("event: response.created\ndata: "));
}

TEST_F(SimulatorTest, FormsAreReadToo) {
  if (!simulator_) simulator_.emplace(options_, log_);
  body_ =
      "--b\r\nContent-Disposition: form-data; name=\"n\"\r\n\r\n3\r\n"
      "--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nsim-model\r\n--b--\r\n";
  const HttpRequest request{.method = "POST",
                            .path = "/v1/images/edits",
                            .body = body_,
                            .content_type = "multipart/form-data; boundary=b"};
  EXPECT_TRUE(simulator_->begin(1, request, exchange_, {}));
  const auto answer = boost::json::parse(body_of(exchange_.answer.bytes));
  EXPECT_EQ(answer.at("data").as_array().size(), 3u);
}

TEST_F(SimulatorTest, AnAttemptThatItsClientLeftSaysSo) {
  std::string line;
  append_line({.client_gone = true}, line);
  EXPECT_THAT(line, HasSubstr(R"("complete":false,"client_gone":true)"));
}

TEST_F(SimulatorTest, RefusesAnUnknownModelAndABrokenBody) {
  EXPECT_THAT(ask("/v1/completions", R"({"model":"gpt-9","prompt":"x"})"),
              StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(exchange_.answer.bytes, HasSubstr("model_not_found"));
  EXPECT_THAT(ask("/v1/completions", "[1]"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(ask("/v1/nothing", "{}"), StartsWith("HTTP/1.1 404"));
}

TEST_F(SimulatorTest, FailsTheFirstAttemptsThenSucceeds) {
  fault("status-503:1:1");
  options_.retry_hints = {.retry_after = "date:0", .retry_after_ms = "20"};
  const auto failed = ask("/v1/chat/completions", kChat);
  EXPECT_THAT(failed, StartsWith("HTTP/1.1 503"));
  EXPECT_THAT(failed, HasSubstr("\r\nretry-after: Tue, 14 Nov 2023 22:13:20 GMT\r\n"));
  EXPECT_THAT(failed, HasSubstr("\r\nretry-after-ms: 20\r\n"));
  EXPECT_THAT(ask("/v1/chat/completions", kChat), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(ask("/sim/stats", "", "GET"), HasSubstr(R"("by_status":{"200":1,"503":1})"));
}

TEST_F(SimulatorTest, PrettyAndOddAnswersAreStillJson) {
  fault("pretty:1");
  EXPECT_THAT(chat_body(), HasSubstr("\r\n  \"object\": \"chat.completion\",\r\n"));
  EXPECT_NO_THROW(std::ignore = boost::json::parse(chat_body()));
  simulator_.reset();
  fault("odd-json:1");
  EXPECT_THAT(chat_body(), HasSubstr("1000000000000000000000000000000,\"exp\":1.0E+2"));
  EXPECT_NO_THROW(std::ignore = boost::json::parse(chat_body()));
}

TEST_F(SimulatorTest, CutAnswersAreShorterThanTheyClaim) {
  fault("truncated:1");
  const auto answer = ask("/v1/chat/completions", kChat);
  EXPECT_EQ(exchange_.answer.ending, Ending::close);
  EXPECT_FALSE(exchange_.attempt.complete);
  const auto length_at = answer.find("content-length: ") + 16;
  EXPECT_GT(std::stoul(answer.substr(length_at)), body_of(answer).size());
  EXPECT_FALSE(body_of(answer).empty());
}

TEST_F(SimulatorTest, EveryFaultRendersAndKeepsItsPromise) {
  const std::vector<std::pair<std::string, Ending>> endings = {
      {"reset:1", Ending::reset},       {"half-close:1", Ending::half_close},
      {"silence:1", Ending::hold},      {"close-before-answer:1", Ending::close},
      {"close-after:1", Ending::close}, {"eof-body:1", Ending::close},
      {"chunked:1", Ending::keep},      {"huge-header:1", Ending::keep},
      {"many-headers:1", Ending::keep}, {"1xx:1", Ending::keep},
      {"redirect:1", Ending::keep},     {"bad-usage:1", Ending::keep}};
  for (const auto& [text, ending] : endings) {
    simulator_.reset();
    fault(text);
    ask("/v1/chat/completions", kChat);
    EXPECT_EQ(exchange_.answer.ending, ending) << text;
    EXPECT_EQ(exchange_.attempt.fault + ":1", text);
  }
}

TEST_F(SimulatorTest, FaultsAndLatencyChangeAtRunTimeWhenAllowed) {
  EXPECT_THAT(ask("/sim/faults", R"(["status-500:1"])"), StartsWith("HTTP/1.1 404"));
  options_.fault_control = true;
  EXPECT_THAT(ask("/sim/faults", R"([{"name":"status-500","rate":1}])"),
              StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(ask("/v1/chat/completions", kChat), StartsWith("HTTP/1.1 500"));
  EXPECT_THAT(ask("/sim/faults", R"(["nope:1"])"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(ask("/sim/faults", "[]"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(ask("/v1/chat/completions", kChat), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(ask("/sim/latency", R"({"latency":"lognormal:5"})"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(ask("/sim/latency", R"({"ms":5})"), StartsWith("HTTP/1.1 200"));
}

TEST_F(SimulatorTest, TheCacheKnowsASharedPrefix) {
  options_.prefix_cache_blocks = 100;
  const std::string prefix(200, 'p');
  const auto ask_with = [&](const std::string& end) {
    ask("/v1/completions", R"({"model":"sim-model","prompt":")" + prefix + end + "\"}");
    return exchange_.attempt.usage.cached_tokens;
  };
  EXPECT_EQ(ask_with("one"), 0u);
  EXPECT_EQ(ask_with("two"), 3 * PrefixCache::kBlockBytes / 4);
}

TEST_F(SimulatorTest, TheLogLineIsJsonWhateverTheHeadersHold) {
  Attempt attempt{.method = "POST", .path = "/v1/a\"b", .idempotency_key = "k\\\x01"};
  std::string line;
  append_line(attempt, line);
  const auto value = boost::json::parse(line);
  EXPECT_EQ(value.at("path").as_string(), "/v1/a\"b");
  EXPECT_EQ(value.at("idempotency_key").as_string(), "k\\\x01");
  EXPECT_TRUE(value.at("fault").is_null());
  EXPECT_EQ(value.at("status").as_int64(), 0);
}

TEST(Latency, LogNormalHasItsMedian) {
  const auto latency = parse_latency("lognormal:100:0.5").value();
  int below = 0;
  for (std::uint64_t key = 0; key < 4000; ++key) {
    below += sample_latency(latency, key) < 100'000'000 ? 1 : 0;
  }
  EXPECT_NEAR(below, 2000, 150);
  EXPECT_EQ(sample_latency(parse_latency("2.5").value(), 1), 2'500'000);
}

}  // namespace
}  // namespace offpeak::sim
