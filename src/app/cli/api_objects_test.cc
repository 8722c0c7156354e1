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

TEST(ParseWebhook, ReadsWhatTheApiSends) {
  const auto webhook = parse_webhook(
      R"({"id":"whe_1","object":"webhook_endpoint","created_at":10,"updated_at":11,"name":"ops",
      "url":"https://h/","event_types":["batch.failed"],"signing_secret_hint":"whsec_…a1B2"})");
  ASSERT_TRUE(webhook);
  EXPECT_EQ(webhook->event_types, std::vector<std::string>{"batch.failed"});
  EXPECT_EQ(webhook->secret, "");
  EXPECT_EQ(webhook->secret_hint, "whsec_…a1B2");
  EXPECT_FALSE(parse_webhook("{}"));
}

TEST(ParseDelivery, ReadsItsAttempts) {
  const auto delivery = parse_delivery(
      R"({"id":"whd_1","status":"pending","attempts":2,"next_attempt_at":9,"log":[
      {"at":6,"status_code":500,"duration_ms":12,"error":null},
      {"at":7,"status_code":null,"duration_ms":3,"error":"no answer"}]})");
  ASSERT_TRUE(delivery);
  EXPECT_EQ(delivery->next_attempt_at, 9);
  ASSERT_EQ(delivery->log.size(), 2u);
  EXPECT_EQ(delivery->log[0].status, 500);
  EXPECT_EQ(delivery->log[1].status, 0);
  EXPECT_EQ(delivery->log[1].error, "no answer");
}

TEST(WebhookJson, LeavesOutWhatIsEmpty) {
  EXPECT_EQ(webhook_json("", "", {}), "{}");
  EXPECT_EQ(webhook_json("n", "https://h/", {"batch.failed"}),
            R"({"name":"n","url":"https://h/","event_types":["batch.failed"]})");
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
