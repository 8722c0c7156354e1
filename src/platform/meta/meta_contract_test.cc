// The contract of meta_store.h, held against every implementation: projects, keys, files, batches.
// Leases and concurrency: meta_lease_contract_test.cc.
#include "platform/meta/meta_contract.h"

namespace offpeak::meta_test {
namespace {

template <class Fixture>
class MetaRecordContract : public MetaContract<Fixture> {};
TYPED_TEST_SUITE(MetaRecordContract, Stores);

TYPED_TEST(MetaRecordContract, ProjectsComeBackInOrderWithTheirKeys) {
  const auto projects = this->store().projects().value();
  EXPECT_EQ(projects, (std::vector<Project>{{kMine, "mine", at(1)}, {kOther, "other", at(2)}}));
  EXPECT_EQ(this->store().find_key("sha_proj_mine").value(), key_of(kMine));
  EXPECT_EQ(this->store().find_key("sha_proj_other").value()->project, kOther);
}

TYPED_TEST(MetaRecordContract, ProjectNameIsTakenOnce) {
  const Project twin{ProjectId("proj_new"), "mine", at(3)};
  EXPECT_EQ(kind_of(this->store().create_project(twin, key_of(twin.id))), ErrorKind::conflict);
  EXPECT_EQ(this->store().projects().value().size(), 2);
  EXPECT_EQ(this->store().find_key("sha_proj_new").value(), std::nullopt);
}

TYPED_TEST(MetaRecordContract, ProjectIsNotMadeWhenItsKeyIsTaken) {
  const Project project{ProjectId("proj_new"), "new", at(3)};
  ApiKey key = key_of(project.id);
  key.sha256 = key_of(kMine).sha256;
  EXPECT_EQ(kind_of(this->store().create_project(project, key)), ErrorKind::conflict);
  EXPECT_EQ(this->store().projects().value().size(), 2);
}

TYPED_TEST(MetaRecordContract, UnknownAndRevokedKeysAreNotFound) {
  const Project project{ProjectId("proj_new"), "new", at(3)};
  ApiKey key = key_of(project.id);
  key.revoked_at = at(4);
  ASSERT_TRUE(this->store().create_project(project, key));
  EXPECT_EQ(this->store().find_key(key.sha256).value(), std::nullopt);
  EXPECT_EQ(this->store().find_key("").value(), std::nullopt);
  EXPECT_EQ(this->store().find_key("sha_proj_min").value(), std::nullopt);
  EXPECT_EQ(this->store().find_key("' OR 1=1 --").value(), std::nullopt);
}

TYPED_TEST(MetaRecordContract, EveryFieldOfAFileComesBack) {
  FileRecord full{.id = FileId("file-1"),
                  .project = kMine,
                  .bytes = std::uint64_t{1} << 62,
                  .created_at = at(1700000000),
                  .expires_at = at(1700086400),
                  .filename = "данные \"'; DROP TABLE files; -- \n\xf0\x9f\x98\x80.jsonl",
                  .purpose = "batch_output",
                  .content = {{BlobKey("j/1"), 10}, {BlobKey("j/2"), std::uint64_t{1} << 63}}};
  FileRecord bare{.id = FileId("file-2"), .project = kMine};
  FileRecord odd{.id = FileId("file-3"), .project = kMine, .filename = std::string("a\0b\xff", 4)};
  for (const FileRecord& file : {full, bare, odd}) {
    ASSERT_TRUE(this->store().insert_file(file));
    EXPECT_EQ(this->store().file(kMine, file.id).value(), file);
  }
}

TYPED_TEST(MetaRecordContract, FileIdIsTakenOnceAndItsProjectMustExist) {
  EXPECT_EQ(kind_of(this->store().insert_file(file_record("in"))), ErrorKind::conflict);
  EXPECT_EQ(kind_of(this->store().insert_file(file_record("in", kOther))), ErrorKind::conflict);
  EXPECT_EQ(kind_of(this->store().insert_file(file_record("x", ProjectId("nobody")))),
            ErrorKind::not_found);
  EXPECT_EQ(this->store().file(kMine, FileId("in")).value(), file_record("in"));
}

TYPED_TEST(MetaRecordContract, AnotherProjectsFileIsAnUnknownFile) {
  auto& store = this->store();
  const auto unknown = store.file(kMine, FileId("nothing"));
  const auto foreign = store.file(kMine, FileId("theirs"));
  EXPECT_EQ(kind_of(unknown), ErrorKind::not_found);
  EXPECT_EQ(kind_of(foreign), ErrorKind::not_found);
  EXPECT_EQ(message_of(unknown), "No such File object: nothing");
  EXPECT_EQ(message_of(foreign), "No such File object: theirs");
  EXPECT_EQ(kind_of(store.delete_file(kMine, FileId("theirs"))), ErrorKind::not_found);
  EXPECT_EQ(kind_of(store.delete_file(kMine, FileId("nothing"))), ErrorKind::not_found);
  EXPECT_TRUE(store.file(kOther, FileId("theirs")));
  EXPECT_EQ(this->file_page({}, false), Names{"in"});
  EXPECT_EQ(this->file_page({.after = "theirs"}, false), Names{});
  BatchRecord stolen = batch_record("b");
  stolen.input_file = FileId("theirs");
  EXPECT_EQ(kind_of(store.batch_input(stolen)), ErrorKind::not_found);
}

TYPED_TEST(MetaRecordContract, FilesArePagedByInsertionWhateverTheirTimes) {
  for (const char* id : {"f1", "f2", "f3", "f4"}) {
    FileRecord file = file_record(id);
    if (std::string(id) == "f3") file.created_at = at(5);
    ASSERT_TRUE(this->store().insert_file(file));
  }
  EXPECT_EQ(this->file_page({.limit = 2}, true), (Names{"f4", "f3"}));
  EXPECT_EQ(this->file_page({.after = "f3", .limit = 2}, true), (Names{"f2", "f1"}));
  EXPECT_EQ(this->file_page({.after = "f1", .limit = 2}, false), (Names{"in"}));
  EXPECT_EQ(this->file_page({.after = "f2", .limit = 2}, false), (Names{"f1", "in"}));
  EXPECT_EQ(this->file_page({.after = "in"}, false), Names{});
  EXPECT_EQ(this->file_page({.after = "never seen"}, false), Names{});
  constexpr auto kUp = SortOrder::oldest_first;
  EXPECT_EQ(this->file_page({.limit = 3, .order = kUp}, true), (Names{"in", "f1", "f2"}));
  EXPECT_EQ(this->file_page({.after = "f2", .limit = 3, .order = kUp}, false), (Names{"f3", "f4"}));
  EXPECT_EQ(this->file_page({.after = "never seen", .order = kUp}, false), Names{});
}

TYPED_TEST(MetaRecordContract, FilesAreListedByPurpose) {
  for (int i = 0; i < 6; ++i) {
    FileRecord file = file_record(fmt::format("f{}", i));
    if (i % 2 == 0) file.purpose = "batch_output";
    ASSERT_TRUE(this->store().insert_file(file));
  }
  const std::string purpose = "batch_output";
  EXPECT_EQ(this->file_page({.limit = 2, .purpose = purpose}, true), (Names{"f4", "f2"}));
  // The cursor may be a file of another purpose.
  EXPECT_EQ(this->file_page({.after = "f1", .purpose = purpose}, false), Names{"f0"});
  EXPECT_EQ(this->file_page({.order = SortOrder::oldest_first, .purpose = purpose}, false),
            (Names{"f0", "f2", "f4"}));
  EXPECT_EQ(this->file_page({.purpose = "nothing"}, false), Names{});
}

TYPED_TEST(MetaRecordContract, DeletedFileIsHiddenButKeepsItsPlace) {
  for (const char* id : {"f1", "f2", "f3"}) ASSERT_TRUE(this->store().insert_file(file_record(id)));
  EXPECT_EQ(this->store().delete_file(kMine, FileId("f2")).value(), file_record("f2"));
  EXPECT_EQ(kind_of(this->store().file(kMine, FileId("f2"))), ErrorKind::not_found);
  EXPECT_EQ(kind_of(this->store().delete_file(kMine, FileId("f2"))), ErrorKind::not_found);
  EXPECT_EQ(this->file_page({}, false), (Names{"f3", "f1", "in"}));
  EXPECT_EQ(this->file_page({.after = "f2"}, false), (Names{"f1", "in"}));
  ASSERT_TRUE(this->store().purge_file(FileId("f2")));
  EXPECT_EQ(this->file_page({.after = "f2"}, false), (Names{"f1", "in"}));
  EXPECT_EQ(kind_of(this->store().insert_file(file_record("f2"))), ErrorKind::conflict);
}

TYPED_TEST(MetaRecordContract, FilesExpireAtTheirSecond) {
  for (int second : {10, 11, 12}) {
    FileRecord file = file_record(fmt::format("f{}", second));
    file.expires_at = at(second);
    ASSERT_TRUE(this->store().insert_file(file));
  }
  EXPECT_EQ(this->store().delete_expired_files(at(9)).value(), 0);
  EXPECT_EQ(this->store().delete_expired_files(at(11)).value(), 2);
  EXPECT_EQ(this->store().delete_expired_files(at(11)).value(), 0);
  EXPECT_EQ(this->file_page({}, false), (Names{"f12", "in"}));
  EXPECT_EQ(ids(this->store().purgeable_files(10).value()), (Names{"f10", "f11"}));
  EXPECT_EQ(ids(this->store().purgeable_files(1).value()), Names{"f10"});
}

TYPED_TEST(MetaRecordContract, DeletedInputStaysUntilNoUnfinishedBatchReadsIt) {
  auto& store = this->store();
  ASSERT_TRUE(store.insert_batch(batch_record("b")));
  ASSERT_TRUE(store.delete_file(kMine, FileId("in")));
  EXPECT_EQ(store.batch_input(batch_record("b")).value(), file_record("in"));
  EXPECT_TRUE(store.purgeable_files(10).value().empty());
  EXPECT_EQ(kind_of(store.purge_file(FileId("in"))), ErrorKind::conflict);

  ASSERT_TRUE(store.update_batch(with_status(batch_record("b"), BatchStatus::failed)));
  EXPECT_EQ(store.purgeable_files(10).value(), std::vector<FileRecord>{file_record("in")});
  ASSERT_TRUE(store.purge_file(FileId("in")));
  EXPECT_TRUE(store.purge_file(FileId("in")));
  EXPECT_TRUE(store.purgeable_files(10).value().empty());
  EXPECT_EQ(kind_of(store.batch_input(batch_record("b"))), ErrorKind::not_found);
}

TYPED_TEST(MetaRecordContract, OnlyDeletedFilesArePurged) {
  EXPECT_EQ(kind_of(this->store().purge_file(FileId("in"))), ErrorKind::conflict);
  EXPECT_EQ(kind_of(this->store().purge_file(FileId("nothing"))), ErrorKind::not_found);
  EXPECT_EQ(this->store().file(kMine, FileId("in")).value(), file_record("in"));
}

TYPED_TEST(MetaRecordContract, BatchMayNameAFileThatIsNotThere) {
  auto& store = this->store();
  const BatchRecord batch = batch_record("b", kMine, "nothing");
  ASSERT_TRUE(store.insert_batch(batch));
  EXPECT_EQ(store.batch(kMine, BatchId("b")).value(), batch);
  EXPECT_EQ(kind_of(store.batch_input(batch)), ErrorKind::not_found);
}

BatchRecord full_batch() {
  BatchRecord batch = batch_record("full");
  batch.model = "модель";
  batch.status = BatchStatus::cancelling;
  batch.output_file = FileId("out");
  batch.error_file = FileId("err");
  batch.in_progress_at = at(1);
  batch.finalizing_at = at(2);
  batch.completed_at = at(3);
  batch.failed_at = at(4);
  batch.expired_at = at(5);
  batch.cancelling_at = at(6);
  batch.cancelled_at = at(7);
  batch.counts = {.total = 50'000, .completed = 30'000, .failed = 7};
  batch.usage = {.input = 5'000'000'000, .cached_input = 1, .output = 2, .reasoning = 3};
  batch.metadata = Metadata{{"z", "ä \"\\\n\xf0\x9f\x98\x80"}, {"a", ""}, {"z", "again"}};
  batch.output_expires_after_s = 3600;
  batch.version = 41;
  for (std::uint64_t line = 0; line < 1000; ++line) {
    batch.errors.push_back({.code = "invalid_json_line",
                            .message = fmt::format("строка {} \xff\xfe", line),
                            .param = line % 2 == 0 ? "" : "body.model",
                            .line = line});
  }
  return batch;
}

TYPED_TEST(MetaRecordContract, EveryFieldOfABatchComesBack) {
  auto& store = this->store();
  ASSERT_TRUE(store.insert_file(file_record("out")));
  ASSERT_TRUE(store.insert_file(file_record("err")));
  BatchRecord no_metadata = batch_record("bare");
  BatchRecord empty_metadata = batch_record("empty");
  empty_metadata.metadata = Metadata{};
  for (const BatchRecord& batch : {full_batch(), no_metadata, empty_metadata}) {
    ASSERT_TRUE(store.insert_batch(batch));
    EXPECT_EQ(store.batch(kMine, batch.id).value(), batch);
  }
  EXPECT_EQ(store.batch(kMine, BatchId("bare"))->metadata, std::nullopt);

  BatchRecord changed = full_batch();
  changed.id = BatchId("bare");
  changed.version = 0;
  const BatchRecord stored = store.update_batch(changed).value();
  changed.version = 1;
  EXPECT_EQ(stored, changed);
  EXPECT_EQ(store.batch(kMine, changed.id).value(), changed);
}

TYPED_TEST(MetaRecordContract, EveryStatusComesBack) {
  using enum BatchStatus;
  for (const BatchStatus status :
       {validating, failed, in_progress, finalizing, completed, expired, cancelling, cancelled}) {
    const BatchRecord batch = with_status(batch_record(std::string(to_string(status))), status);
    ASSERT_TRUE(this->store().insert_batch(batch));
    EXPECT_EQ(this->store().batch(kMine, batch.id)->status, status);
  }
  EXPECT_EQ(ids(this->store().unfinished_batches().value()),
            (Names{"validating", "in_progress", "finalizing", "cancelling"}));
}

TYPED_TEST(MetaRecordContract, BatchIdIsTakenOnce) {
  ASSERT_TRUE(this->store().insert_batch(batch_record("b")));
  EXPECT_EQ(kind_of(this->store().insert_batch(batch_record("b"))), ErrorKind::conflict);
  EXPECT_EQ(kind_of(this->store().insert_batch(batch_record("b", kOther))), ErrorKind::conflict);
}

TYPED_TEST(MetaRecordContract, AnotherProjectsBatchIsAnUnknownBatch) {
  auto& store = this->store();
  ASSERT_TRUE(store.insert_batch(batch_record("theirs", kOther)));
  const auto foreign = store.batch(kMine, BatchId("theirs"));
  EXPECT_EQ(kind_of(foreign), ErrorKind::not_found);
  EXPECT_EQ(message_of(foreign), "No batch found with id 'theirs'.");
  EXPECT_EQ(kind_of(store.batch(kMine, BatchId("nothing"))), ErrorKind::not_found);
  BatchRecord stolen = batch_record("theirs");
  EXPECT_EQ(kind_of(store.update_batch(stolen)), ErrorKind::not_found);
  EXPECT_EQ(this->batch_page({}, false), Names{});
  ASSERT_TRUE(store.insert_batch(batch_record("mine")));
  EXPECT_EQ(this->batch_page({.after = "theirs"}, false), Names{});
  EXPECT_EQ(this->batch_page({.after = "theirs", .order = SortOrder::oldest_first}, false),
            Names{});
  EXPECT_EQ(ids(store.batches(kOther, {}).value().data), Names{"theirs"});
}

TYPED_TEST(MetaRecordContract, BatchesArePagedByInsertion) {
  for (const char* id : {"b3", "b1", "b2"}) {
    ASSERT_TRUE(this->store().insert_batch(batch_record(id)));
    ASSERT_TRUE(this->store().insert_batch(batch_record(std::string("x") + id, kOther)));
  }
  EXPECT_EQ(this->batch_page({.limit = 2}, true), (Names{"b2", "b1"}));
  EXPECT_EQ(this->batch_page({.after = "b1", .limit = 1}, false), (Names{"b3"}));
  EXPECT_EQ(this->batch_page({.limit = 3}, false), (Names{"b2", "b1", "b3"}));
  EXPECT_EQ(this->batch_page({.after = "b3", .limit = 1, .order = SortOrder::oldest_first}, true),
            (Names{"b1"}));
  EXPECT_EQ(this->batch_page({.after = "never seen"}, false), Names{});
}

TYPED_TEST(MetaRecordContract, UpdateRaisesTheVersionAndRefusesAStaleOne) {
  auto& store = this->store();
  const BatchRecord first = batch_record("b");
  ASSERT_TRUE(store.insert_batch(first));
  const BatchRecord second =
      store.update_batch(with_status(first, BatchStatus::in_progress)).value();
  EXPECT_EQ(second.version, 1);
  EXPECT_EQ(kind_of(store.update_batch(with_status(first, BatchStatus::cancelling))),
            ErrorKind::conflict);
  BatchRecord future = second;
  future.version = 2;
  EXPECT_EQ(kind_of(store.update_batch(future)), ErrorKind::conflict);
  EXPECT_EQ(store.batch(kMine, first.id).value(), second);
  EXPECT_EQ(store.update_batch(second)->version, 2);
  EXPECT_EQ(kind_of(store.update_batch(batch_record("nothing"))), ErrorKind::not_found);
}

TYPED_TEST(MetaRecordContract, FinishedBatchNeverChanges) {
  const BatchRecord done = with_status(batch_record("b"), BatchStatus::cancelled);
  ASSERT_TRUE(this->store().insert_batch(done));
  EXPECT_EQ(kind_of(this->store().update_batch(with_status(done, BatchStatus::in_progress))),
            ErrorKind::conflict);
  EXPECT_EQ(this->store().batch(kMine, done.id).value(), done);
}

TYPED_TEST(MetaRecordContract, ResultFilesMustExist) {
  BatchRecord batch = batch_record("b");
  ASSERT_TRUE(this->store().insert_batch(batch));
  batch.output_file = FileId("nothing");
  EXPECT_EQ(kind_of(this->store().update_batch(batch)), ErrorKind::not_found);
  EXPECT_EQ(this->store().batch(kMine, batch.id).value(), batch_record("b"));
}

TYPED_TEST(MetaRecordContract, UnfinishedBatchesOfEveryProjectOldestFirst) {
  auto& store = this->store();
  for (const char* id : {"b1", "b2"}) ASSERT_TRUE(store.insert_batch(batch_record(id)));
  ASSERT_TRUE(store.insert_batch(batch_record("b3", kOther)));
  ASSERT_TRUE(store.update_batch(with_status(batch_record("b2"), BatchStatus::failed)));
  ASSERT_TRUE(store.update_batch(with_status(batch_record("b1"), BatchStatus::in_progress)));
  EXPECT_EQ(ids(store.unfinished_batches().value()), (Names{"b1", "b3"}));
}

TYPED_TEST(MetaRecordContract, HealthyStoreSaysSo) {
  EXPECT_TRUE(this->store().check());
}

}  // namespace
}  // namespace offpeak::meta_test
