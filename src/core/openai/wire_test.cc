#include "core/openai/wire.h"

#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>

namespace offpeak {
namespace {

UnixSeconds at(int seconds) {
  return UnixSeconds(std::chrono::seconds(seconds));
}

TEST(Wire, BatchHasEveryKeyInTheLiveOrder) {
  BatchRecord batch{.id = BatchId("batch_1"),
                    .input_file = FileId("file-1"),
                    .endpoint = "/v1/embeddings",
                    .completion_window = "24h",
                    .created_at = at(10),
                    .expires_at = at(86410)};
  EXPECT_EQ(
      boost::json::serialize(batch_object(batch)),
      R"({"id":"batch_1","object":"batch","endpoint":"/v1/embeddings","model":null,"errors":null,)"
      R"("input_file_id":"file-1","completion_window":"24h","status":"validating",)"
      R"("output_file_id":null,"error_file_id":null,"created_at":10,"in_progress_at":null,)"
      R"("expires_at":86410,"finalizing_at":null,"completed_at":null,"failed_at":null,)"
      R"("expired_at":null,"cancelling_at":null,"cancelled_at":null,)"
      R"("request_counts":{"total":0,"completed":0,"failed":0},"usage":{"input_tokens":0,)"
      R"("input_tokens_details":{"cached_tokens":0},"output_tokens":0,)"
      R"("output_tokens_details":{"reasoning_tokens":0},"total_tokens":0},"metadata":null})");
  batch.metadata = Metadata{{"z", "1"}, {"a", ""}};
  batch.errors = {{.code = "invalid_json_line", .message = "m", .line = 3}};
  const auto object = batch_object(batch);
  EXPECT_EQ(boost::json::serialize(object.at("metadata")), R"({"z":"1","a":""})");
  EXPECT_EQ(
      boost::json::serialize(object.at("errors")),
      R"({"object":"list","data":[{"code":"invalid_json_line","line":3,"message":"m","param":null}]})");
}

TEST(Wire, FileHasEveryKeyInTheLiveOrder) {
  const FileRecord file{.id = FileId("file-1"),
                        .bytes = 5,
                        .created_at = at(1),
                        .filename = "a\"é.jsonl",
                        .purpose = "batch"};
  EXPECT_EQ(boost::json::serialize(file_object(file)),
            R"({"id":"file-1","bytes":5,"created_at":1,"filename":"a\"é.jsonl","object":"file",)"
            R"("purpose":"batch","status":"processed","expires_at":null,"status_details":null})");
}

TEST(Wire, ListsNameTheirEnds) {
  EXPECT_EQ(boost::json::serialize(list_object({}, false)),
            R"({"object":"list","data":[],"first_id":null,"last_id":null,"has_more":false})");
  EXPECT_EQ(
      boost::json::serialize(list_object({{{"id", "a"}}, {{"id", "b"}}}, true)),
      R"({"object":"list","data":[{"id":"a"},{"id":"b"}],"first_id":"a","last_id":"b","has_more":true})");
}

TEST(Wire, ErrorsHaveAllFourKeys) {
  EXPECT_EQ(boost::json::serialize(error_object({.message = "m", .type = "t", .code = "c"})),
            R"({"error":{"message":"m","type":"t","param":null,"code":"c"}})");
}

TEST(Wire, UploadAndPartHaveTheKeysOfTheSpecification) {
  UploadRecord upload{.id = UploadId("upload_1"),
                      .bytes = 7,
                      .created_at = at(10),
                      .expires_at = at(3610),
                      .filename = "in.jsonl",
                      .purpose = "batch",
                      .mime_type = "text/jsonl"};
  EXPECT_EQ(boost::json::serialize(upload_object(upload, {})),
            R"({"id":"upload_1","object":"upload","bytes":7,"created_at":10,)"
            R"("filename":"in.jsonl","purpose":"batch","status":"pending","expires_at":3610,)"
            R"("file":null})");
  upload.status = UploadStatus::completed;
  const FileRecord file{.id = FileId("file-1"), .bytes = 7};
  const auto completed = upload_object(upload, file);
  EXPECT_EQ(completed.at("status"), "completed");
  EXPECT_EQ(completed.at("file"), file_object(file));
  EXPECT_EQ(boost::json::serialize(part_object(
                {.id = PartId("part_1"), .upload = upload.id, .created_at = at(11), .bytes = 7})),
            R"({"id":"part_1","object":"upload.part","created_at":11,"upload_id":"upload_1"})");
}

}  // namespace
}  // namespace offpeak
