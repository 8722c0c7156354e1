#include "core/jsonl/line_check.h"

#include <gtest/gtest.h>

namespace offpeak {
namespace {

std::expected<CheckedLine, LineError> check(std::string line,
                                            std::string endpoint = "/v1/chat/completions") {
  const auto length = line.size();
  line.append(kJsonPadding, '\0');
  return LineChecker(std::move(endpoint)).check(std::string_view(line).substr(0, length));
}

std::string chat(std::string_view body) {
  return R"({"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":)" +
         std::string(body) + "}";
}

TEST(LineCheck, FindsThePartsOfAValidLine) {
  const std::string line =
      R"( {"body" : {"messages":[{"role":"user","content":"}{\"]"}],"n":1e2, "model": "m\u0031"},)"
      R"("url":"/v1/chat/completions","x":[{}],"method":"POST","custom_id":"id \"1\""} )";
  const auto checked = check(line);
  ASSERT_TRUE(checked) << checked.error().message;
  EXPECT_EQ(checked->custom_id.of(line), R"("id \"1\"")");
  EXPECT_EQ(checked->model.of(line), R"("m\u0031")");
  EXPECT_EQ(checked->prompt.of(line), R"([{"role":"user","content":"}{\"]"}])");
  EXPECT_TRUE(checked->body.of(line).starts_with(R"({"messages")"));
  EXPECT_TRUE(checked->body.of(line).ends_with(R"("m\u0031"})"));
}

struct BadLine {
  std::string line;
  std::string code;
  std::string param;
};

class LineCheckErrors : public testing::TestWithParam<BadLine> {};

TEST_P(LineCheckErrors, NameCodeAndParam) {
  const auto checked = check(GetParam().line);
  ASSERT_FALSE(checked) << GetParam().line;
  EXPECT_EQ(checked.error().code, GetParam().code) << GetParam().line;
  EXPECT_EQ(checked.error().param, GetParam().param) << GetParam().line;
  EXPECT_FALSE(checked.error().message.empty());
}

const std::string kTail = R"("method":"POST","url":"/v1/chat/completions")";
const std::string kGood = R"({"model":"m","messages":[]})";

INSTANTIATE_TEST_SUITE_P(
    Lines, LineCheckErrors,
    testing::Values(
        BadLine{"{", "invalid_json_line", ""}, BadLine{"\xEF\xBB\xBF{}", "invalid_json_line", ""},
        BadLine{"[]", "invalid_json_line", ""}, BadLine{"{} {}", "invalid_json_line", ""},
        BadLine{"{\"a\":\"\xC3\"}", "invalid_json_line", ""},
        BadLine{"{" + kTail + ",\"body\":" + kGood + "}", "missing_required_parameter",
                "custom_id"},
        BadLine{R"({"custom_id":7,)" + kTail + ",\"body\":" + kGood + "}", "invalid_custom_id",
                "custom_id"},
        BadLine{R"({"custom_id":"",)" + kTail + ",\"body\":" + kGood + "}", "invalid_custom_id",
                "custom_id"},
        BadLine{R"({"custom_id":"a","custom_id":"b",)" + kTail + ",\"body\":" + kGood + "}",
                "invalid_request", "custom_id"},
        BadLine{R"({"custom_id":"a","url":"/v1/chat/completions","body":)" + kGood + "}",
                "missing_required_parameter", "method"},
        BadLine{
            R"({"custom_id":"a","method":"GET","url":"/v1/chat/completions","body":)" + kGood + "}",
            "invalid_method", "method"},
        BadLine{R"({"custom_id":"a","method":"POST","body":)" + kGood + "}",
                "missing_required_parameter", "url"},
        BadLine{R"({"custom_id":"a","method":"POST","url":"/v1/embeddings","body":)" + kGood + "}",
                "invalid_url", "url"},
        BadLine{R"({"custom_id":"a",)" + kTail + "}", "missing_required_parameter", "body"},
        BadLine{chat("[]"), "invalid_request", "body"},
        BadLine{chat(R"({"messages":[]})"), "invalid_request", "body.model"},
        BadLine{chat(R"({"model":4,"messages":[]})"), "invalid_request", "body.model"},
        BadLine{chat(R"({"model":"m","model":"n","messages":[]})"), "invalid_request",
                "body.model"},
        BadLine{chat(R"({"model":"m"})"), "invalid_request", "body.messages"},
        BadLine{chat(R"({"model":"m","messages":[],"stream":true})"), "streaming_unsupported",
                "body.stream"}));

TEST(LineCheck, EscapedKeysAndBigNumbersAreValid) {
  EXPECT_TRUE(check(R"({"custom\u005fid":"a",)" + kTail +
                    R"(,"body":{"model":"m","messages":[],"seed":100000000000000000000000}})"));
  EXPECT_TRUE(check(chat(R"({"model":"m","messages":[],"stream":false})")));
}

TEST(LineCheck, CountsEmbeddingInputs) {
  const auto inputs = [](std::string_view input) {
    const std::string line =
        R"({"custom_id":"a","method":"POST","url":"/v1/embeddings","body":{"model":"m","input":)" +
        std::string(input) + "}}";
    return check(line, "/v1/embeddings")->inputs;
  };
  EXPECT_EQ(inputs(R"("one")"), 1u);
  EXPECT_EQ(inputs(R"(["a","b,]", "c"])"), 3u);
  EXPECT_EQ(inputs("[1,2,3]"), 1u);
  EXPECT_EQ(inputs("[[1,2],[3]]"), 2u);
}

TEST(LineCheck, ModelIsOptionalWhereTheEndpointHasADefault) {
  const std::string line =
      R"({"custom_id":"a","method":"POST","url":"/v1/moderations","body":{"input":"x"}})";
  const auto checked = check(line, "/v1/moderations");
  ASSERT_TRUE(checked);
  EXPECT_EQ(checked->model.length, 0u);
}

}  // namespace
}  // namespace offpeak
