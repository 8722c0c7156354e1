#include "core/openai/uploads.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace offpeak {
namespace {

constexpr std::uint64_t kMax = 8ull << 30;

boost::json::object create_body() {
  return {
      {"filename", "in.jsonl"}, {"purpose", "batch"}, {"bytes", 12}, {"mime_type", "text/jsonl"}};
}

Error create_error(const boost::json::object& body) {
  const auto parsed = parse_create_upload(boost::json::serialize(body), kMax);
  EXPECT_FALSE(parsed);
  return parsed ? Error{} : parsed.error();
}

boost::json::object with(std::string_view name, const boost::json::value& value) {
  auto body = create_body();
  body[name] = value;
  return body;
}

TEST(UploadBodiesTest, EveryMemberOfCreateIsRead) {
  auto body = create_body();
  body["expires_after"] = {{"anchor", "created_at"}, {"seconds", 3600}};
  body["anything"] = "else";
  const auto create = parse_create_upload(boost::json::serialize(body), kMax).value();
  EXPECT_EQ(create.filename, "in.jsonl");
  EXPECT_EQ(create.purpose, "batch");
  EXPECT_EQ(create.bytes, 12u);
  EXPECT_EQ(create.mime_type, "text/jsonl");
  EXPECT_EQ(create.expires_after_s, 3600);
}

TEST(UploadBodiesTest, EveryRequiredMemberIsMissed) {
  for (const char* name : {"filename", "purpose", "bytes", "mime_type"}) {
    auto body = create_body();
    body.erase(name);
    const Error error = create_error(body);
    EXPECT_EQ(error.message, "Missing required parameter: '" + std::string(name) + "'.");
    EXPECT_EQ(error.code, "missing_required_parameter");
    EXPECT_EQ(error.param, name);
  }
}

TEST(UploadBodiesTest, BytesHaveBounds) {
  EXPECT_TRUE(parse_create_upload(boost::json::serialize(with("bytes", kMax)), kMax));
  EXPECT_TRUE(parse_create_upload(boost::json::serialize(with("bytes", 0)), kMax));
  EXPECT_EQ(create_error(with("bytes", kMax + 1)).code, "integer_above_max_value");
  EXPECT_EQ(create_error(with("bytes", 1e300)).code, "integer_above_max_value");
  EXPECT_EQ(create_error(with("bytes", -1)).code, "integer_below_min_value");
  EXPECT_EQ(create_error(with("bytes", "12")).code, "invalid_type");
  EXPECT_EQ(create_error(with("bytes", 1.5)).code, "invalid_type");
}

TEST(UploadBodiesTest, WrongValuesNameTheirMember) {
  EXPECT_EQ(create_error(with("purpose", "vector_store")).message,
            "'vector_store' is not one of ['fine-tune', 'assistants', 'batch', 'user_data', "
            "'vision', 'evals'] - 'purpose'");
  EXPECT_EQ(create_error(with("filename", 7)).param, "filename");
  EXPECT_EQ(create_error(with("mime_type", boost::json::string(257, 'x'))).param, "mime_type");
  EXPECT_EQ(create_error(with("expires_after", {{"anchor", "created_at"}})).param,
            "expires_after.seconds");
  EXPECT_EQ(create_error(with("expires_after", {{"anchor", "created_at"}, {"seconds", 1}})).param,
            "expires_after.seconds");
}

TEST(UploadBodiesTest, CompleteKeepsTheOrderOfParts) {
  const auto complete = parse_complete_upload(R"({"part_ids": ["b", "a"], "md5": "x"})").value();
  EXPECT_THAT(complete.parts, testing::ElementsAre(PartId("b"), PartId("a")));
  EXPECT_EQ(complete.md5, "x");
  EXPECT_EQ(parse_complete_upload(R"({"part_ids": [], "md5": null})")->md5, std::nullopt);
}

TEST(UploadBodiesTest, CompleteNeedsDistinctPartIds) {
  EXPECT_EQ(parse_complete_upload("{}").error().message, "Missing required parameter: 'part_ids'.");
  EXPECT_EQ(parse_complete_upload(R"({"part_ids": "a"})").error().code, "invalid_type");
  EXPECT_EQ(parse_complete_upload(R"({"part_ids": ["a", 1]})").error().param, "part_ids[1]");
  EXPECT_EQ(parse_complete_upload(R"({"part_ids": ["a", "a"]})").error().message,
            "Invalid 'part_ids': 'a' is listed twice.");
  EXPECT_FALSE(parse_complete_upload("part_ids=a"));
}

}  // namespace
}  // namespace offpeak
