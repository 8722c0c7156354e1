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
        BadCreate{"", "", "", "We could not parse the JSON body of your request."},
        BadCreate{"null", "", "", "We could not parse the JSON body of your request."},
        BadCreate{"{} {}", "", "", "We could not parse the JSON body of your request."},
        BadCreate{"{\"a\":\"\xFF\"}", "", "", "We could not parse the JSON body"},
        BadCreate{with(",\"x\":" + std::string(1000, '[') + std::string(1000, ']')), "", "",
                  "We could not parse the JSON body"},
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
        BadCreate{R"({"input_file_id":null,"endpoint":"/v1/embeddings","completion_window":"24h"})",
                  "missing_required_parameter", "input_file_id", "'input_file_id'"},
        BadCreate{R"({"input_file_id":")" + std::string(513, 'x') +
                      R"(","endpoint":"/v1/embeddings","completion_window":"24h"})",
                  "string_above_max_length", "input_file_id", "maximum length 512"},
        BadCreate{
            R"({"input_file_id":"f","endpoint":["/v1/embeddings"],"completion_window":"24h"})",
            "invalid_type", "endpoint", "expected a string, but got an array instead."},
        BadCreate{R"({"input_file_id":"f","endpoint":"/v1/embeddings","completion_window":24})",
                  "invalid_type", "completion_window", "but got an integer instead."},
        BadCreate{R"({"input_file_id":"f","endpoint":"/v1/embeddings","completion_window":true})",
                  "invalid_type", "completion_window", "but got a boolean instead."},
        BadCreate{R"({"input_file_id":{},"endpoint":"/v1/embeddings","completion_window":"24h"})",
                  "invalid_type", "input_file_id", "but got an object instead."},
        BadCreate{R"({"input_file_id":1.5,"endpoint":"/v1/embeddings","completion_window":"24h"})",
                  "invalid_type", "input_file_id", "but got a decimal number instead."},
        BadCreate{R"({"input_file_id":"f","endpoint":"/v1/rerank","completion_window":"24h"})",
                  "invalid_value", "endpoint",
                  "Invalid value: '/v1/rerank'. Supported values are: '/v1/chat/completions', "
                  "'/v1/completions', '/v1/embeddings', '/v1/images/edits', "
                  "'/v1/images/generations', '/v1/moderations', '/v1/responses', and "
                  "'/v1/videos'."},
        BadCreate{R"({"input_file_id":"f","endpoint":"/v1/embeddings","completion_window":"30m"})",
                  "invalid_value", "completion_window", "Invalid value: '30m'."},
        BadCreate{with(R"(,"metadata":{"tags":["x"]})"), "invalid_type", "metadata.tags",
                  "Invalid type for 'metadata.tags': expected a string, but got an array instead."},
        BadCreate{with(R"(,"metadata":{"n":5})"), "invalid_type", "metadata.n",
                  "expected a string, but got an integer instead."},
        BadCreate{with(R"(,"metadata":{"n":null})"), "invalid_type", "metadata.n",
                  "expected a string, but got null instead."},
        BadCreate{with(R"(,"metadata":[])"), "invalid_type", "metadata",
                  "expected an object, but got an array instead."},
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
        BadCreate{with(R"(,"output_expires_after":{"anchor":"created_at","seconds":3599})"),
                  "integer_below_min_value", "output_expires_after.seconds", "got 3599 instead."},
        BadCreate{with(R"(,"output_expires_after":{"anchor":"created_at","seconds":-1})"),
                  "integer_below_min_value", "output_expires_after.seconds", "got -1 instead."},
        BadCreate{with(R"(,"output_expires_after":{"anchor":"created_at",)"
                       R"("seconds":18446744073709551615})"),
                  "integer_above_max_value", "output_expires_after.seconds", "<= 2592000"},
        BadCreate{with(R"(,"output_expires_after":{"anchor":"created_at",)"
                       R"("seconds":99999999999999999999999999})"),
                  "integer_above_max_value", "output_expires_after.seconds", "<= 2592000"},
        BadCreate{with(R"(,"output_expires_after":{"anchor":"created_at","seconds":3600.5})"),
                  "invalid_type", "output_expires_after.seconds", "got a decimal number instead."},
        BadCreate{with(R"(,"output_expires_after":{"anchor":"created_at","seconds":"3600"})"),
                  "invalid_type", "output_expires_after.seconds", "got a string instead."},
        BadCreate{with(R"(,"output_expires_after":{"anchor":"created_at"})"),
                  "missing_required_parameter", "output_expires_after.seconds",
                  "Missing required parameter: 'output_expires_after.seconds'."},
        BadCreate{with(R"(,"output_expires_after":{"anchor":1,"seconds":3600})"), "invalid_type",
                  "output_expires_after.anchor", "expected a string"},
        BadCreate{with(R"(,"output_expires_after":3600)"), "invalid_type", "output_expires_after",
                  "expected an object, but got an integer instead."},
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

TEST(CreateBatch, LengthsAreInCharacters) {
  std::string key;
  std::string text;
  for (int i = 0; i < 64; ++i) key += "é";
  for (int i = 0; i < 512; ++i) text += "日";
  EXPECT_TRUE(parse_create_batch(with(",\"metadata\":{\"" + key + "\":\"" + text + "\"}")));
  const auto longer = parse_create_batch(with(",\"metadata\":{\"k\":\"" + text + "日\"}"));
  ASSERT_FALSE(longer);
  EXPECT_NE(longer.error().message.find("with length 513"), std::string::npos);
}

TEST(CreateBatch, SixteenPairsAreNotTooMany) {
  std::string pairs;
  for (int i = 0; i < 16; ++i) pairs += fmt::format(R"({}"k{}":"v")", i ? "," : "", i);
  const auto parsed = parse_create_batch(with(",\"metadata\":{" + pairs + "}"));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->metadata->size(), 16u);
}

TEST(CreateBatch, OfMembersThatAppearTwiceTheLastCounts) {
  const auto parsed = parse_create_batch(
      with(R"(,"input_file_id":"file-2","metadata":{"a":"1"},"metadata":{"a":"2","a":"3"})"));
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(parsed->input_file, FileId("file-2"));
  EXPECT_EQ(parsed->metadata, (Metadata{{"a", "3"}}));
}

TEST(CreateBatch, NullAndUnknownMembersAreIgnored) {
  EXPECT_TRUE(parse_create_batch(
      with(R"(,"metadata":null,"output_expires_after":null,"priority":1e999,"a":{"b":[null]},)"
           R"("deep":)" +
           std::string(100, '[') + std::string(100, ']'))));
}

TEST(CreateBatch, BoundsOfTheExpiryAreIncluded) {
  for (const auto seconds : {kExpiresAfterMin, kExpiresAfterMax}) {
    const auto parsed = parse_create_batch(with(
        fmt::format(R"(,"output_expires_after":{{"anchor":"created_at","seconds":{}}})", seconds)));
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->output_expires_after_s, seconds);
  }
}

TEST(CreateBatch, TakesAllEightEndpoints) {
  for (const std::string_view endpoint :
       {"/v1/responses", "/v1/chat/completions", "/v1/embeddings", "/v1/completions",
        "/v1/moderations", "/v1/images/generations", "/v1/images/edits", "/v1/videos"}) {
    EXPECT_TRUE(parse_create_batch(fmt::format(
        R"({{"input_file_id":"f","endpoint":"{}","completion_window":"7d"}})", endpoint)))
        << endpoint;
  }
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
