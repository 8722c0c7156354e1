#include "pipeline/files/multipart_upload.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "pipeline/files/file_reader.h"
#include "platform/blob/memory_blob_store.h"
#include "platform/meta/memory_meta_store.h"

namespace offpeak {
namespace {

using std::chrono_literals::operator""s;
using std::chrono_literals::operator""h;
using testing::HasSubstr;

const ProjectId kMine("proj_1");
const ProjectId kOther("proj_2");

class MultipartUploadTest : public testing::Test {
 protected:
  MultipartUploadTest() {
    for (const ProjectId& project : {kMine, kOther}) {
      EXPECT_TRUE(meta.create_project(
          {.id = project, .name = project.text()},
          {.id = KeyId(project.text()), .project = project, .sha256 = project.text()}));
    }
  }

  UploadId create(std::uint64_t bytes, std::string purpose = "user_data") {
    return uploads
        .create(kMine,
                {.filename = "in.jsonl",
                 .purpose = std::move(purpose),
                 .bytes = bytes,
                 .mime_type = "text/jsonl"},
                {})
        .value()
        .id;
  }

  PartId add(const UploadId& upload, std::string_view bytes) {
    auto part = uploads.start_part(kMine, upload).value();
    EXPECT_TRUE(part.append(bytes));
    return part.finish({}).value().id;
  }

  Result<EndedUpload> complete(const UploadId& upload, std::vector<PartId> parts,
                               std::optional<std::string> md5 = {}) {
    return uploads.complete(kMine, upload, {std::move(parts), std::move(md5)});
  }

  std::string bytes_of(const FileRecord& file) {
    const auto reader = FileReader::open(blobs, file.content).value();
    std::string bytes(reader.size() + 1, '\0');
    bytes.resize(reader.read_at(0, bytes).value());
    return bytes;
  }

  std::size_t blob_count() { return blobs.list("")->size(); }

  MemoryBlobStore blobs;
  MemoryMetaStore meta;
  ManualClock clock{WallTime(1'700'000'000s)};
  SystemRandom random;
  MultipartUploads uploads{{blobs, meta, clock, random}};
};

void expect_refused(const auto& result, std::string_view text) {
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::invalid_request);
  EXPECT_THAT(result.error().message, HasSubstr(text));
}

TEST_F(MultipartUploadTest, PartsBecomeAFileInTheGivenOrder) {
  const UploadId upload = create(9);
  const PartId last = add(upload, "ghi");
  const PartId first = add(upload, "abc");
  const PartId middle = add(upload, "def");
  const auto ended = complete(upload, {first, middle, last}).value();
  EXPECT_EQ(ended.upload.status, UploadStatus::completed);
  EXPECT_EQ(ended.upload.file, ended.file->id);
  EXPECT_EQ(bytes_of(*ended.file), "abcdefghi");
  EXPECT_EQ(ended.file->bytes, 9u);
  EXPECT_EQ(ended.file->filename, "in.jsonl");
  EXPECT_EQ(meta.file(kMine, ended.file->id).value(), *ended.file);
  EXPECT_EQ(blob_count(), 3u) << "nothing is copied";
}

TEST_F(MultipartUploadTest, NewUploadIsPendingForAnHour) {
  const auto upload = uploads
                          .create(kMine,
                                  {.filename = "../dir/a.bin",
                                   .purpose = "vision",
                                   .bytes = 5,
                                   .mime_type = "image/png",
                                   .expires_after_s = 3600},
                                  {})
                          .value();
  EXPECT_THAT(upload.id.text(), testing::MatchesRegex("upload_[0-9a-f]{32}"));
  EXPECT_EQ(upload.filename, "a.bin");
  EXPECT_EQ(upload.expires_at, upload.created_at + 1h);
  EXPECT_EQ(meta.upload(kMine, upload.id).value(), upload);
}

TEST_F(MultipartUploadTest, FileExpiresAsAskedOrAsItsPurposeDoes) {
  const auto asked =
      uploads.create(kMine, {.filename = "x", .purpose = "user_data", .expires_after_s = 3600}, {})
          .value();
  clock.advance(60s);
  const auto file = complete(asked.id, {})->file.value();
  EXPECT_EQ(file.created_at, clock.unix_now());
  EXPECT_EQ(file.expires_at, file.created_at + 1h);
  EXPECT_EQ(complete(create(0), {})->file->expires_at, std::nullopt);
  const UploadId batch = create(2, "batch");
  const auto input = complete(batch, {add(batch, "{}")})->file.value();
  EXPECT_EQ(input.expires_at, input.created_at + std::chrono::days(30));
}

TEST_F(MultipartUploadTest, EmptyFileHasNoParts) {
  const auto ended = complete(create(0), {}).value();
  EXPECT_EQ(ended.file->bytes, 0u);
  EXPECT_EQ(bytes_of(*ended.file), "");
}

TEST_F(MultipartUploadTest, EmptyPartIsAPart) {
  const UploadId upload = create(2);
  const PartId empty = add(upload, "");
  const auto ended = complete(upload, {add(upload, "a"), empty, add(upload, "b")});
  EXPECT_EQ(bytes_of(*ended->file), "ab");
}

TEST_F(MultipartUploadTest, SumMustBeTheDeclaredOneAndTheUploadStaysOpen) {
  const UploadId upload = create(6);
  const PartId a = add(upload, "abc");
  expect_refused(complete(upload, {a}), "add up to 3 bytes, but the upload was created for 6");
  const PartId b = add(upload, "def");
  EXPECT_TRUE(complete(upload, {a, b}));
}

TEST_F(MultipartUploadTest, PartsMustBeOfThisUpload) {
  const UploadId upload = create(3);
  const UploadId other = create(3);
  const PartId foreign = add(other, "abc");
  expect_refused(complete(upload, {foreign}), fmt::format("has no part '{}'", foreign));
  expect_refused(complete(upload, {PartId("part_x")}), "has no part 'part_x'");
}

TEST_F(MultipartUploadTest, UnusedPartsDie) {
  const UploadId upload = create(3);
  const PartId unused = add(upload, "zzz");
  const PartId used = add(upload, "abc");
  ASSERT_TRUE(complete(upload, {used}));
  ASSERT_EQ(meta.dead_parts(9)->size(), 1u);
  EXPECT_EQ(meta.dead_parts(9)->at(0).id, unused);
}

TEST_F(MultipartUploadTest, BatchInputIsCheckedAsEveryUpload) {
  expect_refused(uploads.create(kMine, {.filename = "in.json", .purpose = "batch"}, {}),
                 "Invalid file format for Batch API. Must be .jsonl");
  const UploadId good = create(5, "batch");
  const PartId tail = add(good, "}\n?");
  EXPECT_TRUE(complete(good, {add(good, "{ "), tail})) << "the first line spans two parts";
  const UploadId bad = create(3, "batch");
  expect_refused(complete(bad, {add(bad, "no\n")}), "Must be .jsonl");
  expect_refused(complete(create(0, "batch"), {}), "Must be .jsonl");
}

TEST_F(MultipartUploadTest, Md5IsOfTheAssembledBytes) {
  constexpr auto kHex = "900150983cd24fb0d6963f7d28e17f72";  // of "abc" (RFC 1321)
  for (const char* md5 : {kHex, "900150983CD24FB0D6963F7D28E17F72", "kAFQmDzST7DWlj99KOF/cg=="}) {
    const UploadId upload = create(3);
    const PartId c = add(upload, "c");
    const PartId ab = add(upload, "ab");
    expect_refused(complete(upload, {c, ab}, md5), "do not have the md5");
    EXPECT_TRUE(complete(upload, {ab, c}, md5)) << md5;
  }
}

TEST_F(MultipartUploadTest, Md5MustBeOne) {
  const UploadId upload = create(0);
  for (const std::string md5 : {"", "abc", "zz0150983cd24fb0d6963f7d28e17f72", "YWJj"}) {
    expect_refused(complete(upload, {}, md5), "Invalid 'md5'");
  }
}

TEST_F(MultipartUploadTest, CompletingAgainWithTheSamePartsGivesTheSame) {
  const UploadId upload = create(4);
  const PartId a = add(upload, "aa");
  const PartId b = add(upload, "bb");
  const auto first = complete(upload, {a, b}).value();
  const auto again = complete(upload, {a, b}).value();
  EXPECT_EQ(again.upload, first.upload);
  EXPECT_EQ(again.file, first.file);
  expect_refused(complete(upload, {b, a}), "is completed");
  expect_refused(complete(upload, {a}), "is completed");
  expect_refused(complete(upload, {}), "is completed");
  ASSERT_TRUE(meta.delete_file(kMine, first.file->id));
  expect_refused(complete(upload, {a, b}), "is completed");
}

TEST_F(MultipartUploadTest, CancelledUploadTakesNothing) {
  const UploadId upload = create(3);
  const PartId part = add(upload, "abc");
  auto late = uploads.start_part(kMine, upload).value();
  EXPECT_EQ(uploads.cancel(kMine, upload)->status, UploadStatus::cancelled);
  EXPECT_EQ(uploads.cancel(kMine, upload)->status, UploadStatus::cancelled) << "a repeat";
  expect_refused(uploads.start_part(kMine, upload), "is cancelled");
  expect_refused(complete(upload, {part}), "is cancelled");
  expect_refused(late.finish({}), "is cancelled");
  EXPECT_EQ(blob_count(), 1u) << "the late part left nothing";
  EXPECT_EQ(meta.dead_parts(9)->size(), 1u);
}

TEST_F(MultipartUploadTest, CompletedUploadTakesNothing) {
  const UploadId upload = create(0);
  ASSERT_TRUE(complete(upload, {}));
  expect_refused(uploads.start_part(kMine, upload), "is completed");
  expect_refused(uploads.cancel(kMine, upload), "is completed");
}

TEST_F(MultipartUploadTest, UploadExpiresAfterAnHourEvenBeforeTheSweep) {
  const UploadId upload = create(3);
  const PartId part = add(upload, "abc");
  clock.advance(3599s);
  EXPECT_TRUE(uploads.start_part(kMine, upload));
  clock.advance(1s);
  expect_refused(uploads.start_part(kMine, upload), "is expired");
  expect_refused(complete(upload, {part}), "is expired");
  expect_refused(uploads.cancel(kMine, upload), "is expired");
  EXPECT_EQ(meta.expire_uploads(clock.unix_now()).value(), 1u);
  expect_refused(complete(upload, {part}), "is expired");
}

TEST_F(MultipartUploadTest, UnknownAndForeignUploadsAreNotFound) {
  const UploadId upload = create(0);
  const UploadId unknown("upload_x");
  EXPECT_EQ(uploads.start_part(kOther, upload).error().kind, ErrorKind::not_found);
  EXPECT_EQ(uploads.complete(kOther, upload, {}).error().kind, ErrorKind::not_found);
  EXPECT_EQ(uploads.cancel(kOther, upload).error().kind, ErrorKind::not_found);
  EXPECT_EQ(complete(unknown, {}).error().message, "No such Upload object: upload_x");
  EXPECT_EQ(uploads.start_part(kMine, unknown).error().message, "No such Upload object: upload_x");
}

TEST_F(MultipartUploadTest, PartHasALimitOfItsOwn) {
  const UploadId upload = create(kPartBytesMax);
  auto part = uploads.start_part(kMine, upload).value();
  const std::string megabytes(kPartBytesMax / 8, 'x');
  for (int i = 0; i < 8; ++i) ASSERT_TRUE(part.append(megabytes));
  EXPECT_EQ(part.append("x").error().kind, ErrorKind::too_large);
  EXPECT_EQ(part.finish({})->bytes, kPartBytesMax);
}

TEST_F(MultipartUploadTest, PartsMayNotPileUp) {
  const UploadId upload = create(3);
  const std::string bytes(kPartBytesMax / 2 + 4, 'x');
  add(upload, bytes);
  add(upload, bytes);
  expect_refused(uploads.start_part(kMine, upload), "more than twice the 3 bytes");
}

TEST_F(MultipartUploadTest, UnfinishedPartLeavesNothing) {
  const UploadId upload = create(3);
  {
    auto part = uploads.start_part(kMine, upload).value();
    ASSERT_TRUE(part.append("abc"));
  }
  EXPECT_EQ(blob_count(), 0u);
  meta.fail_writes(Error{ErrorKind::storage_full, "full"});
  auto part = uploads.start_part(kMine, upload).value();
  EXPECT_EQ(part.finish({}).error().kind, ErrorKind::storage_full);
  EXPECT_EQ(blob_count(), 0u);
}

TEST_F(MultipartUploadTest, PartsMayComeInParallel) {
  constexpr int kParts = 16;
  const UploadId upload = create(kParts);
  std::vector<PartId> parts(kParts);
  std::vector<std::thread> threads;
  for (int i = 0; i < kParts; ++i) {
    threads.emplace_back([&, i] {
      parts[static_cast<std::size_t>(i)] = add(upload, std::string(1, static_cast<char>('a' + i)));
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(bytes_of(*complete(upload, parts)->file), "abcdefghijklmnop");
}

TEST_F(MultipartUploadTest, CompletingInParallelMakesOneFile) {
  const UploadId upload = create(3);
  const PartId part = add(upload, "abc");
  std::atomic<int> completed = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] { completed += complete(upload, {part}).has_value(); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(completed, 8);
  EXPECT_EQ(meta.files(kMine, {})->data.size(), 1u);
}

TEST_F(MultipartUploadTest, PartsThatWereNeverRecordedAreRemovedAtStart) {
  const UploadId upload = create(3);
  const PartId kept = add(upload, "abc");
  for (const char* key : {"parts/proj_1/part_lost", "parts/nobody/part_lost", "files/file-1"}) {
    ASSERT_TRUE(blobs.create(BlobKey(key)).value()->commit());
  }
  ASSERT_TRUE(remove_unrecorded_parts(blobs, meta));
  EXPECT_EQ(blobs.list("parts/")->size(), 1u);
  EXPECT_EQ(blobs.list("files/")->size(), 1u);
  EXPECT_TRUE(complete(upload, {kept}));
  ASSERT_TRUE(remove_unrecorded_parts(blobs, meta));
  EXPECT_EQ(blobs.list("parts/")->size(), 1u) << "the completed file's";
}

}  // namespace
}  // namespace offpeak
