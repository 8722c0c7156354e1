#include <gtest/gtest.h>

#include "pipeline/files/file_reader.h"
#include "pipeline/files/upload.h"
#include "platform/blob/memory_blob_store.h"
#include "platform/meta/memory_meta_store.h"

namespace offpeak {
namespace {

class FilesTest : public testing::Test {
 protected:
  FilesTest() {
    EXPECT_TRUE(meta.create_project({.id = ProjectId("proj_1"), .name = "one"},
                                    {.id = KeyId("key_1"), .project = ProjectId("proj_1")}));
  }

  Result<FileRecord> upload(std::string_view bytes, std::string filename = "in.jsonl",
                            std::string purpose = "batch", std::uint64_t max = 1000) {
    auto started = Upload::start({blobs, meta, clock, random}, max);
    for (const char c : bytes) {
      if (auto ok = started->append(std::string_view(&c, 1)); !ok)
        return std::unexpected(ok.error());
    }
    return started->finish({.project = ProjectId("proj_1"),
                            .filename = std::move(filename),
                            .purpose = std::move(purpose)});
  }

  MemoryBlobStore blobs;
  MemoryMetaStore meta;
  ManualClock clock{WallTime(std::chrono::seconds(1'700'000'000))};
  SeededRandom random{1};
};

TEST_F(FilesTest, AnUploadIsRecordedAndReadsBack) {
  const auto file = upload("{\"a\":1}\n{}");
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file->bytes, 10u);
  EXPECT_EQ(file->expires_at, file->created_at + std::chrono::days(30));
  EXPECT_EQ(meta.file(ProjectId("proj_1"), file->id).value(), *file);
  const auto reader = FileReader::open(blobs, file->content).value();
  std::string bytes(4, '\0');
  EXPECT_EQ(reader.read_at(6, bytes), 4u);
  EXPECT_EQ(bytes, "}\n{}");
}

TEST_F(FilesTest, BatchFilesMustLookLikeJsonl) {
  EXPECT_FALSE(upload(""));
  EXPECT_FALSE(upload("not json\n"));
  EXPECT_FALSE(upload("{}", "in.json"));
  EXPECT_TRUE(upload("\xEF\xBB\xBF{}\n")) << "a BOM is reported by the batch, not at upload";
  EXPECT_TRUE(upload("\r\n{}\nlater lines are the batch's business"));
  EXPECT_TRUE(upload("anything", "x", "user_data"));
  EXPECT_EQ(upload("nope").error().message, "Invalid file format for Batch API. Must be .jsonl");
}

TEST_F(FilesTest, OtherPurposesNeverExpireByDefault) {
  EXPECT_EQ(upload("x", "x", "user_data")->expires_at, std::nullopt);
}

TEST_F(FilesTest, ARefusedUploadLeavesNothing) {
  EXPECT_EQ(upload(std::string(1001, 'x'), "x", "user_data").error().kind, ErrorKind::too_large);
  EXPECT_FALSE(upload("nope"));
  EXPECT_TRUE(blobs.list("")->empty());
}

TEST_F(FilesTest, ReadsAcrossExtents) {
  const auto first = upload("12345", "x", "user_data").value();
  const auto second = upload("6789", "x", "user_data").value();
  auto content = first.content;
  content[0].bytes = 3;
  content.push_back(second.content[0]);
  const auto reader = FileReader::open(blobs, content).value();
  EXPECT_EQ(reader.size(), 7u);
  for (std::size_t from = 0; from <= 7; ++from) {
    std::string bytes(10, '\0');
    const auto count = reader.read_at(from, bytes).value();
    EXPECT_EQ(bytes.substr(0, count), std::string("1236789").substr(from));
  }
}

TEST_F(FilesTest, AMissingTailIsAnErrorNotAShortRead) {
  auto file = upload("12345", "x", "user_data").value();
  file.content[0].bytes = 9;
  const auto reader = FileReader::open(blobs, file.content).value();
  std::string bytes(9, '\0');
  EXPECT_FALSE(reader.read_at(0, bytes));
}

}  // namespace
}  // namespace offpeak
