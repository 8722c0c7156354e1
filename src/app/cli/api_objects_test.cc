#include "app/cli/api_objects.h"

#include <gtest/gtest.h>

namespace offpeak::cli {
namespace {

TEST(ParseBatch, ReadsWhatTheApiSends) {
  const auto batch = parse_batch(R"({"id":"batch_1","object":"batch","endpoint":"/v1/embeddings",
    "model":null,"errors":{"object":"list","data":[
      {"code":"invalid_json_line","message":"bad","param":null,"line":3},
      {"code":"empty_file","message":"empty","param":null,"line":null}]},
    "input_file_id":"file-1","completion_window":"24h","status":"failed","output_file_id":null,
    "error_file_id":"file-2","created_at":10,"expires_at":20,"failed_at":12,"completed_at":null,
    "request_counts":{"total":5,"completed":3,"failed":2},
    "usage":{"input_tokens":7,"input_tokens_details":{"cached_tokens":4},"output_tokens":9},
    "metadata":{"k":"v"}})");
  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->status, "failed");
  EXPECT_TRUE(batch->ended());
  EXPECT_EQ(batch->output_file_id, "");
  EXPECT_EQ(batch->error_file_id, "file-2");
  EXPECT_EQ(batch->failed, 2u);
  EXPECT_EQ(batch->ended_at, 12);
  EXPECT_EQ(batch->cached_tokens, 4u);
  ASSERT_EQ(batch->errors.size(), 2u);
  EXPECT_EQ(batch->errors[0].line, 3u);
  EXPECT_EQ(batch->errors[1].line, std::nullopt);
  EXPECT_EQ(batch->metadata.at(0).second, "v");
}

TEST(ParseBatch, RefusesWhatIsNone) {
  for (const char* text : {"", "<html>", "[]", "{}", R"({"id":"x"})"}) {
    EXPECT_FALSE(parse_batch(text)) << text;
  }
}

TEST(ParsePage, ReadsHasMore) {
  const auto page = parse_file_page(
      R"({"object":"list","data":[{"id":"file-1","bytes":5,"filename":"a"}],"has_more":true})");
  ASSERT_TRUE(page);
  EXPECT_TRUE(page->has_more);
  EXPECT_EQ(page->data.at(0).bytes, 5u);
  EXPECT_FALSE(parse_batch_page(R"({"data":{}})"));
}

TEST(NewBatch, SendsMetadataOnlyIfThereIsSome) {
  EXPECT_EQ(to_json({.input_file_id = "file-1", .endpoint = "/v1/embeddings"}),
            R"({"input_file_id":"file-1","endpoint":"/v1/embeddings","completion_window":"24h"})");
  EXPECT_EQ(
      to_json({.input_file_id = "f", .endpoint = "e", .metadata = {{"a", "\"b\""}}}),
      R"({"input_file_id":"f","endpoint":"e","completion_window":"24h","metadata":{"a":"\"b\""}})");
}

}  // namespace
}  // namespace offpeak::cli
