#include "core/openai/create_batch.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace offpeak {
namespace {

std::string with(std::string_view extra) {
  return fmt::format(
      R"({{"input_file_id":"file-1","endpoint":"/v1/chat/completions","completion_window":"24h"{}}})",
      extra);
}

struct BadCreate {
  std::string body;
  std::string code;
  std::string param;
  std::string message_part;
};

class CreateBatchErrors : public testing::TestWithParam<BadCreate> {};

TEST_P(CreateBatchErrors, AreTheServices) {
  const auto& [body, code, param, message_part] = GetParam();
  const auto parsed = parse_create_batch(body);
  ASSERT_FALSE(parsed) << body;
  EXPECT_EQ(parsed.error().kind, ErrorKind::invalid_request);
  EXPECT_EQ(parsed.error().code, code);
  EXPECT_EQ(parsed.error().param, param);
  EXPECT_NE(parsed.error().message.find(message_part), std::string::npos) << parsed.error().message;
}

INSTANTIATE_TEST_SUITE_P(
    Bodies, CreateBatchErrors,
    testing::Values(
        BadCreate{"{", "", "", "We could not parse the JSON body of your request."},
        BadCreate{"[]", "", "", "We could not parse the JSON body of your request."},
        BadCreate{"{}", "missing_required_parameter", "input_file_id",
                  "Missing required parameter: 'input_file_id'."},
        BadCreate{R"({"input_file_id":"f","completion_window":"24h"})",
                  "missing_required_parameter", "endpoint",
                  "Missing required parameter: 'endpoint'."},
        BadCreate{R"({"input_file_id":"f","endpoint":"/v1/embeddings"})",
                  "missing_required_parameter", "completion_window", "'completion_window'"},
        BadCreate{R"({"input_file_id":7,"endpoint":"/v1/embeddings","completion_window":"24h"})",
                  "invalid_type", "input_file_id",
                  "expected a string, but got an integer instead."},
        BadCreate{R"({"input_file_id":"f","endpoint":"/v1/rerank","completion_window":"24h"})",
                  "invalid_value", "endpoint",
                  "Invalid value: '/v1/rerank'. Supported values are: '/v1/responses', "},
        BadCreate{R"({"input_file_id":"f","endpoint":"/v1/embeddings","completion_window":"30m"})",
                  "invalid_value", "completion_window", "Invalid value: '30m'."},
        BadCreate{with(R"(,"metadata":{"tags":["x"]})"), "invalid_type", "metadata.tags",
                  "Invalid type for 'metadata.tags': expected a string, but got an array instead."},
        BadCreate{with(R"(,"metadata":7)"), "invalid_type", "metadata", "expected an object"},
        BadCreate{with(R"(,"metadata":{"k":")" + std::string(513, 'x') + "\"}"),
                  "string_above_max_length", "metadata.k", "maximum length 512"},
        BadCreate{with(R"(,"metadata":{")" + std::string(65, 'k') + R"(":"v"})"),
                  "property_name_above_max_length", "metadata", "with length 65 instead."},
        BadCreate{with(R"(,"output_expires_after":{"anchor":"created_at","seconds":10})"),
                  "integer_below_min_value", "output_expires_after.seconds",
                  "Expected a value >= 3600, but got 10 instead."},
        BadCreate{with(R"(,"output_expires_after":{"anchor":"created_at","seconds":2592001})"),
                  "integer_above_max_value", "output_expires_after.seconds", "<= 2592000"},
        BadCreate{with(R"(,"output_expires_after":{"seconds":3600})"), "missing_required_parameter",
                  "output_expires_after.anchor", "'output_expires_after.anchor'"},
        BadCreate{with(R"(,"output_expires_after":{"anchor":"now","seconds":3600})"),
                  "invalid_value", "output_expires_after.anchor", "'created_at'"}));

TEST(CreateBatch, SeventeenPairsAreTooMany) {
  std::string pairs;
  for (int i = 0; i < 17; ++i) pairs += fmt::format(R"({}"k{}":"v")", i ? "," : "", i);
  const auto parsed = parse_create_batch(with(",\"metadata\":{" + pairs + "}"));
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().code, "object_above_max_properties");
}

TEST(CreateBatch, TakesWhatTheContractAllows) {
  const auto parsed = parse_create_batch(
      with(R"(,"metadata":{"b":"é","a":""},"output_expires_after":{"anchor":"created_at",)"
           R"("seconds":3600},"extra_body_key":[1])"));
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(parsed->input_file, FileId("file-1"));
  EXPECT_EQ(parsed->window, std::chrono::hours(24));
  EXPECT_EQ(parsed->metadata, (Metadata{{"b", "é"}, {"a", ""}}));
  EXPECT_EQ(parsed->output_expires_after_s, 3600);
  EXPECT_EQ(parse_create_batch(with(R"(,"metadata":null)"))->metadata, std::nullopt);
  const auto limit =
      with(",\"metadata\":{\"" + std::string(64, 'k') + "\":\"" + std::string(512, 'v') + "\"}");
  EXPECT_TRUE(parse_create_batch(limit));
}

TEST(CreateBatch, WindowsFromOneHourToSevenDays) {
  using std::chrono::hours;
  EXPECT_EQ(parse_completion_window("24h"), hours(24));
  EXPECT_EQ(parse_completion_window("1h"), hours(1));
  EXPECT_EQ(parse_completion_window("7d"), hours(168));
  EXPECT_EQ(parse_completion_window("168h"), hours(168));
  for (const auto* bad :
       {"", "h", "0h", "169h", "8d", "24", "24H", "-1h", " 24h", "1.5h", "24hh"}) {
    EXPECT_EQ(parse_completion_window(bad), std::nullopt) << bad;
  }
}

}  // namespace
}  // namespace offpeak
