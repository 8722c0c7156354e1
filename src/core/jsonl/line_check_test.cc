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
        BadLine{R"({"custom_id":"a","method":"POST","url":"/v1/rerank","body":)" + kGood + "}",
                "url_not_found", "url"},
        BadLine{R"({"custom_id":"a","method":"POST","url":7,"body":)" + kGood + "}",
                "url_not_found", "url"},
        BadLine{R"({"custom_id":"a","method":"post","url":"/v1/chat/completions","body":)" + kGood +
                    "}",
                "invalid_method", "method"},
        BadLine{R"({"custom_id":null,)" + kTail + ",\"body\":" + kGood + "}", "invalid_custom_id",
                "custom_id"},
        BadLine{R"({"custom_id":"a",)" + kTail + "}", "missing_required_parameter", "body"},
        BadLine{chat("[]"), "invalid_request", "body"},
        BadLine{chat(R"({"messages":[]})"), "invalid_request", "body.model"},
        BadLine{chat(R"({"model":4,"messages":[]})"), "invalid_request", "body.model"},
        BadLine{chat(R"({"model":"m","model":"n","messages":[]})"), "invalid_request",
                "body.model"},
        BadLine{chat(R"({"model":null,"messages":[]})"), "invalid_request", "body.model"},
        BadLine{chat(R"({"model":"","messages":[]})"), "invalid_request", "body.model"},
        BadLine{chat(R"({"model":"m"})"), "invalid_request", "body.messages"},
        BadLine{chat(R"({"model":"m","messages":null})"), "invalid_request", "body.messages"},
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

struct EndpointCase {
  std::string path;
  std::string body;  // as little as is valid
  std::string missing_prompt;
  std::string prompt_param;
  bool model_required;
  std::string streaming;
};

class LineCheckEndpoints : public testing::TestWithParam<EndpointCase> {
 protected:
  std::expected<CheckedLine, LineError> check_body(std::string body) const {
    return check(R"({"custom_id":"a","method":"POST","url":")" + GetParam().path + R"(","body":)" +
                     std::move(body) + "}",
                 GetParam().path);
  }
};

void PrintTo(const EndpointCase& endpoint, std::ostream* out) {
  *out << endpoint.path;
}

TEST_P(LineCheckEndpoints, HaveTheirOwnRequiredMembers) {
  const auto& endpoint = GetParam();
  ASSERT_TRUE(check_body(endpoint.body));
  const auto no_prompt = check_body(R"({"model":"m"})");
  if (endpoint.missing_prompt.empty()) {
    EXPECT_TRUE(no_prompt);
  } else {
    ASSERT_FALSE(no_prompt);
    EXPECT_EQ(no_prompt.error().code, "invalid_request");
    EXPECT_EQ(no_prompt.error().message, endpoint.missing_prompt);
    EXPECT_EQ(no_prompt.error().param, endpoint.prompt_param);
  }
  for (const std::string model : {"", R"("model":null,)"}) {
    const auto unnamed =
        check_body("{" + model + endpoint.body.substr(endpoint.body.find(',') + 1));
    ASSERT_EQ(unnamed.has_value(), !endpoint.model_required) << model;
    if (unnamed) {
      EXPECT_EQ(unnamed->model.length, 0u);
    } else {
      EXPECT_EQ(unnamed.error().message, "Model parameter is required.");
      EXPECT_EQ(unnamed.error().param, "body.model");
    }
  }
}

TEST_P(LineCheckEndpoints, RefuseStreamingInTheirOwnName) {
  const auto& body = GetParam().body;
  const auto with = [&](std::string value) {
    return check_body(body.substr(0, body.size() - 1) + ",\"stream\":" + value + "}");
  };
  const auto streamed = with("true");
  ASSERT_FALSE(streamed);
  EXPECT_EQ(streamed.error().code, "streaming_unsupported");
  EXPECT_EQ(streamed.error().param, "body.stream");
  EXPECT_EQ(streamed.error().message,
            GetParam().streaming + ": Streaming is not supported in the Batch API.");
  EXPECT_TRUE(with("false"));
  EXPECT_TRUE(with("null"));
}

TEST_P(LineCheckEndpoints, RefuseTheUrlsOfOthers) {
  for (const EndpointRules& other : endpoints()) {
    const auto checked = check(R"({"custom_id":"a","method":"POST","url":")" +
                                   std::string(other.path) + R"(","body":)" + GetParam().body + "}",
                               GetParam().path);
    ASSERT_EQ(checked.has_value(), other.path == GetParam().path);
    if (checked) continue;
    EXPECT_EQ(checked.error().code, "invalid_url");
    EXPECT_EQ(checked.error().message,
              "The URL provided for this request does not match the batch endpoint.");
  }
}

INSTANTIATE_TEST_SUITE_P(
    AllEight, LineCheckEndpoints,
    testing::Values(
        EndpointCase{"/v1/chat/completions", R"({"model":"m","messages":[]})",
                     "Messages parameter is required.", "body.messages", true, "Chat Completions"},
        EndpointCase{"/v1/completions", R"({"model":"m","prompt":"x"})",
                     "Prompt parameter is required.", "body.prompt", true, "Completions"},
        EndpointCase{"/v1/embeddings", R"({"model":"m","input":"x"})",
                     "Input parameter is required.", "body.input", true, "Embeddings"},
        EndpointCase{"/v1/responses", R"({"model":"m","input":"x"})", "", "", false, "Responses"},
        EndpointCase{"/v1/moderations", R"({"model":"m","input":["x"]})",
                     "Input parameter is required.", "body.input", false, "Moderations"},
        EndpointCase{"/v1/images/generations", R"({"model":"m","prompt":"x"})",
                     "Prompt parameter is required.", "body.prompt", false, "Image Generations"},
        EndpointCase{"/v1/images/edits",
                     R"({"model":"m","images":[{"image_url":"u"}],"prompt":"x"})",
                     "Prompt parameter is required.", "body.prompt", false, "Image Edits"},
        EndpointCase{"/v1/videos",
                     R"({"model":"m","prompt":"x","input_reference":{"file_id":"f"}})",
                     "Prompt parameter is required.", "body.prompt", false, "Videos"}));

TEST(LineCheck, NamesWhatItFinds) {
  const auto message = [](std::string line) { return check(std::move(line)).error().message; };
  EXPECT_EQ(message("nonsense"), "This line is not parseable as valid JSON.");
  EXPECT_EQ(message("{}"), "Missing required parameter: 'custom_id'.");
  EXPECT_EQ(message(R"({"custom_id":"a"})"), "Missing required parameter: 'method'.");
  EXPECT_EQ(message(R"({"custom_id":"a","method":"POST"})"), "Missing required parameter: 'url'.");
  EXPECT_EQ(message(R"({"custom_id":"a",)" + kTail + "}"), "Missing required parameter: 'body'.");
  EXPECT_EQ(message(R"({"custom_id":"a","method":"POST","url":"/v1/x","body":{}})"),
            "The provided url '/v1/x' is not supported by the Batch API.");
}

TEST(LineCheck, DepthAndNumbersOfAnySize) {
  const auto nested = [](std::size_t depth) {
    return chat(R"({"model":"m","messages":[],"x":)" + std::string(depth, '[') +
                std::string(depth, ']') + "}");
  };
  EXPECT_TRUE(check(nested(500)));
  const auto too_deep = check(nested(5000));
  ASSERT_FALSE(too_deep);
  EXPECT_EQ(too_deep.error().code, "invalid_json_line");
  EXPECT_TRUE(check(
      chat(R"({"model":"m","messages":[],"seed":-1e9999,"n":)" + std::string(400, '9') + "}")));
}

}  // namespace
}  // namespace offpeak
