// The contract of upload_store.h, held against every implementation.
#include <atomic>
#include <thread>

#include "platform/meta/meta_contract.h"

namespace offpeak::meta_test {
namespace {

const UploadId kUpload("upload_1");

UploadRecord upload_record(std::string id, const ProjectId& project = kMine) {
  return {.id = UploadId(std::move(id)),
          .project = project,
          .bytes = 20,
          .created_at = at(100),
          .expires_at = at(3700),
          .filename = "in.jsonl",
          .purpose = "batch",
          .mime_type = "text/jsonl"};
}

UploadPart part_record(std::string id, const UploadId& upload = kUpload) {
  return {.id = PartId(id),
          .upload = upload,
          .created_at = at(101),
          .bytes = 10,
          .blob = BlobKey("parts/" + id)};
}

FileRecord file_of(std::string id, const std::vector<std::string>& parts) {
  FileRecord file = file_record(std::move(id));
  file.content.clear();
  for (const std::string& part : parts) file.content.push_back({BlobKey("parts/" + part), 10});
  return file;
}

/// kMine has kUpload with the parts a, b and c.
template <class Fixture>
class MetaUploadContract : public MetaContract<Fixture> {
 protected:
  MetaUploadContract() {
    EXPECT_TRUE(this->store().insert_upload(upload_record("upload_1"), {}));
    for (const char* id : {"a", "b", "c"}) {
      EXPECT_TRUE(this->store().insert_part(kMine, part_record(id), {}));
    }
  }

  Names live() { return ids(this->store().parts(kMine, kUpload).value()); }
  Names dead() { return ids(this->store().dead_parts(99).value()); }
  UploadStatus status() { return this->store().upload(kMine, kUpload)->status; }
};
TYPED_TEST_SUITE(MetaUploadContract, Stores);

TYPED_TEST(MetaUploadContract, EveryFieldComesBack) {
  UploadRecord full = upload_record("upload_2");
  full.bytes = std::uint64_t{1} << 63;
  full.filename = "данные \"'.jsonl";
  full.file_expires_after_s = 3600;
  ASSERT_TRUE(this->store().insert_upload(full, {}));
  EXPECT_EQ(this->store().upload(kMine, full.id).value(), full);
  EXPECT_EQ(this->store().upload(kMine, kUpload).value(), upload_record("upload_1"));
  EXPECT_EQ(this->store().part(kMine, PartId("b")).value(), part_record("b"));
  EXPECT_EQ(this->live(), (Names{"a", "b", "c"}));
  EXPECT_TRUE(this->store().parts(kMine, full.id)->empty());
}

TYPED_TEST(MetaUploadContract, IdsAreTakenOnceAndTheProjectMustExist) {
  auto& store = this->store();
  EXPECT_EQ(kind_of(store.insert_upload(upload_record("upload_1"), {})), ErrorKind::conflict);
  EXPECT_EQ(kind_of(store.insert_upload(upload_record("u", ProjectId("nobody")), {})),
            ErrorKind::not_found);
  EXPECT_EQ(kind_of(store.insert_part(kMine, part_record("a"), {})), ErrorKind::conflict);
  EXPECT_EQ(kind_of(store.insert_part(kMine, part_record("d", UploadId("none")), {})),
            ErrorKind::not_found);
}

TYPED_TEST(MetaUploadContract, AnotherProjectsUploadIsAnUnknownUpload) {
  auto& store = this->store();
  EXPECT_EQ(message_of(store.upload(kOther, kUpload)), "No such Upload object: upload_1");
  EXPECT_EQ(message_of(store.upload(kMine, UploadId("x"))), "No such Upload object: x");
  EXPECT_EQ(message_of(store.part(kOther, PartId("a"))), "No such Part object: a");
  EXPECT_EQ(kind_of(store.parts(kOther, kUpload)), ErrorKind::not_found);
  EXPECT_EQ(kind_of(store.insert_part(kOther, part_record("d"), {})), ErrorKind::not_found);
  EXPECT_EQ(kind_of(store.cancel_upload(kOther, kUpload)), ErrorKind::not_found);
  EXPECT_EQ(kind_of(store.complete_upload(kOther, kUpload, file_of("f", {"a"}))),
            ErrorKind::not_found);
  EXPECT_EQ(kind_of(store.file(kMine, FileId("f"))), ErrorKind::not_found);
  EXPECT_EQ(this->status(), UploadStatus::pending);
}

TYPED_TEST(MetaUploadContract, CompletingMakesTheFileAndKillsUnusedParts) {
  auto& store = this->store();
  const FileRecord file = file_of("f", {"c", "a"});
  const auto completed = store.complete_upload(kMine, kUpload, file).value();
  EXPECT_EQ(completed.status, UploadStatus::completed);
  EXPECT_EQ(completed.file, FileId("f"));
  EXPECT_EQ(store.upload(kMine, kUpload).value(), completed);
  EXPECT_EQ(store.file(kMine, FileId("f")).value(), file);
  EXPECT_EQ(this->live(), (Names{"a", "c"}));
  EXPECT_EQ(this->dead(), Names{"b"});
  EXPECT_EQ(kind_of(store.part(kMine, PartId("b"))), ErrorKind::not_found);
}

TYPED_TEST(MetaUploadContract, CompletingWithATakenFileIdChangesNothing) {
  EXPECT_EQ(kind_of(this->store().complete_upload(kMine, kUpload, file_of("in", {"a"}))),
            ErrorKind::conflict);
  EXPECT_EQ(this->store().upload(kMine, kUpload).value(), upload_record("upload_1"));
  EXPECT_EQ(this->live(), (Names{"a", "b", "c"}));
}

TYPED_TEST(MetaUploadContract, CancellingKillsAllParts) {
  const auto cancelled = this->store().cancel_upload(kMine, kUpload).value();
  EXPECT_EQ(cancelled.status, UploadStatus::cancelled);
  EXPECT_EQ(this->store().upload(kMine, kUpload).value(), cancelled);
  EXPECT_EQ(this->live(), Names{});
  EXPECT_EQ(this->dead(), (Names{"a", "b", "c"}));
}

TYPED_TEST(MetaUploadContract, ClosedUploadRefusesEverything) {
  auto& store = this->store();
  ASSERT_TRUE(store.complete_upload(kMine, kUpload, file_of("f", {"a"})));
  const auto again = store.complete_upload(kMine, kUpload, file_of("g", {"a"}));
  EXPECT_EQ(kind_of(again), ErrorKind::conflict);
  EXPECT_EQ(message_of(again), "Upload 'upload_1' is completed.");
  EXPECT_EQ(kind_of(store.cancel_upload(kMine, kUpload)), ErrorKind::conflict);
  EXPECT_EQ(kind_of(store.insert_part(kMine, part_record("d"), {})), ErrorKind::conflict);
  EXPECT_EQ(kind_of(store.file(kMine, FileId("g"))), ErrorKind::not_found);
  EXPECT_EQ(this->live(), Names{"a"});
}

TYPED_TEST(MetaUploadContract, PendingUploadsExpireAtTheirTime) {
  auto& store = this->store();
  ASSERT_TRUE(store.insert_upload(upload_record("done"), {}));
  ASSERT_TRUE(store.cancel_upload(kMine, UploadId("done")));
  EXPECT_EQ(store.expire_uploads(at(3699)).value(), 0);
  EXPECT_EQ(this->status(), UploadStatus::pending);
  EXPECT_EQ(store.expire_uploads(at(3700)).value(), 1);
  EXPECT_EQ(this->status(), UploadStatus::expired);
  EXPECT_EQ(store.upload(kMine, UploadId("done"))->status, UploadStatus::cancelled);
  EXPECT_EQ(this->dead(), (Names{"a", "b", "c"}));
  EXPECT_EQ(kind_of(store.complete_upload(kMine, kUpload, file_of("f", {"a"}))),
            ErrorKind::conflict);
}

TYPED_TEST(MetaUploadContract, DeadPartsAreForgottenOneByOne) {
  auto& store = this->store();
  EXPECT_EQ(kind_of(store.forget_part(PartId("a"))), ErrorKind::conflict);
  EXPECT_EQ(kind_of(store.forget_part(PartId("none"))), ErrorKind::not_found);
  ASSERT_TRUE(store.cancel_upload(kMine, kUpload));
  EXPECT_EQ(ids(store.dead_parts(2).value()), (Names{"a", "b"}));
  ASSERT_TRUE(store.forget_part(PartId("a")));
  EXPECT_EQ(this->dead(), (Names{"b", "c"}));
  EXPECT_EQ(kind_of(store.forget_part(PartId("a"))), ErrorKind::not_found);
}

TYPED_TEST(MetaUploadContract, NumberOfPartsIsBounded) {
  auto& store = this->store();
  for (std::size_t i = 3; i < kUploadPartsMax; ++i) {
    ASSERT_TRUE(store.insert_part(kMine, part_record(std::to_string(i)), {}));
  }
  EXPECT_EQ(kind_of(store.insert_part(kMine, part_record("d"), {})), ErrorKind::invalid_request);
  EXPECT_EQ(this->live().size(), kUploadPartsMax);
}

TYPED_TEST(MetaUploadContract, PurgedFileLeavesNoPartsAndNoName) {
  auto& store = this->store();
  ASSERT_TRUE(store.complete_upload(kMine, kUpload, file_of("f", {"c", "a"})));
  ASSERT_TRUE(store.delete_file(kMine, FileId("f")));
  EXPECT_EQ(this->live(), (Names{"a", "c"}));
  ASSERT_TRUE(store.purge_file(FileId("f")));
  EXPECT_EQ(this->live(), Names{});
  EXPECT_EQ(this->dead(), Names{"b"});
  EXPECT_EQ(store.upload(kMine, kUpload)->filename, "");
  EXPECT_EQ(store.upload(kMine, kUpload)->status, UploadStatus::completed);
}

TYPED_TEST(MetaUploadContract, OneOfManyEndsWins) {
  std::atomic<int> winners = 0;
  std::atomic<int> conflicts = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      const auto ended = t % 2 == 0 ? this->store().cancel_upload(kMine, kUpload)
                                    : this->store().complete_upload(
                                          kMine, kUpload, file_of(fmt::format("f{}", t), {"a"}));
      ended ? ++winners : conflicts += ended.error().kind == ErrorKind::conflict;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(winners, 1);
  EXPECT_EQ(conflicts, 7);
  const bool completed = this->status() == UploadStatus::completed;
  EXPECT_EQ(this->store().files(kMine, {})->data.size(), completed ? 2 : 1);
  EXPECT_EQ(this->dead().size(), completed ? 2 : 3);
}

}  // namespace
}  // namespace offpeak::meta_test
