// What the contract suite cannot see: the file, kills, full and failing disks, other versions.
#include "platform/meta/sqlite_meta_store.h"

#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "platform/meta/faulty_vfs.h"
#include "platform/meta/meta_contract.h"
#include "platform/meta/migrations.h"

namespace offpeak::meta_test {
namespace {

using testing::HasSubstr;

class SqliteMetaStoreTest : public testing::Test {
 protected:
  ~SqliteMetaStoreTest() override {
    FaultyVfs::instance().full = false;
    FaultyVfs::instance().sync_fails = false;
  }

  std::unique_ptr<SqliteMetaStore> open(const std::string& vfs = {}) {
    return SqliteMetaStore::open(file_, vfs).value();
  }

  void with_database(const char* sql) {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(file_.c_str(), &database), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(database, sql, nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(database);
  }

  static Status make_project(MetaStore& store) {
    return store.create_project({kMine, "mine", at(1)}, key_of(kMine));
  }

  ScratchDirectory directory_;
  std::filesystem::path file_ = directory_.path() / "meta.db";
};

TEST_F(SqliteMetaStoreTest, EverythingIsThereAfterReopening) {
  Lease lease;
  {
    const auto store = open();
    ASSERT_TRUE(make_project(*store));
    ASSERT_TRUE(store->insert_file(file_record("in")));
    ASSERT_TRUE(store->insert_file(file_record("gone")));
    ASSERT_TRUE(store->delete_file(kMine, FileId("gone")));
    ASSERT_TRUE(store->insert_batch(batch_record("b")));
    ASSERT_TRUE(store->update_batch(with_status(batch_record("b"), BatchStatus::in_progress)));
    lease = store->acquire_lease(BatchId("b"), WorkerId("w"), 5, at(1), 30s).value();
  }
  const auto store = open();
  EXPECT_EQ(store->projects()->size(), 1);
  EXPECT_TRUE(store->find_key("sha_proj_mine").value());
  EXPECT_EQ(ids(store->files(kMine, {})->data), Names{"in"});
  EXPECT_EQ(ids(store->purgeable_files(9).value()), Names{"gone"});
  EXPECT_EQ(store->batch(kMine, BatchId("b"))->status, BatchStatus::in_progress);
  EXPECT_TRUE(store->renew_lease(lease, at(2), 30s));
  EXPECT_GT(store->acquire_lease(BatchId("b"), WorkerId("w"), 5, at(3), 30s)->epoch, lease.epoch);
}

TEST_F(SqliteMetaStoreTest, FilesAreForTheOwnerAlone) {
  const auto store = open();
  ASSERT_TRUE(make_project(*store));
  for (const char* suffix : {"", "-wal", "-shm", ".lock"}) {
    struct stat status{};
    ASSERT_EQ(::stat((file_.string() + suffix).c_str(), &status), 0) << suffix;
    EXPECT_EQ(status.st_mode & 0777, 0600U) << suffix;
  }
}

TEST_F(SqliteMetaStoreTest, SecondOpenerIsRefusedUntilTheFirstIsGone) {
  auto first = open();
  const auto second = SqliteMetaStore::open(file_);
  EXPECT_EQ(kind_of(second), ErrorKind::conflict);
  EXPECT_THAT(message_of(second), HasSubstr(file_.string()));
  first.reset();
  EXPECT_TRUE(SqliteMetaStore::open(file_));
}

TEST_F(SqliteMetaStoreTest, NewerSchemaIsRefusedAndUntouched) {
  open();
  with_database("PRAGMA user_version = 99");
  const auto opened = SqliteMetaStore::open(file_);
  EXPECT_EQ(kind_of(opened), ErrorKind::conflict);
  EXPECT_THAT(message_of(opened), HasSubstr("newer offpeak (schema 99"));
  with_database("PRAGMA user_version = 2");
  EXPECT_TRUE(SqliteMetaStore::open(file_));
}

TEST_F(SqliteMetaStoreTest, DatabaseOfVersionOneIsBroughtUpToDate) {
  with_database("");
  {
    const auto mode = sqlite::Connection::Mode::read_write;
    const auto old = sqlite::Connection::open(file_.string(), mode, {}).value();
    ASSERT_TRUE(migrate(*old, 1));
    ASSERT_TRUE(old->exec(
        "INSERT INTO projects (id, name, created_at) VALUES ('proj_mine', 'mine', 1);"
        "INSERT INTO files (id, project_id, bytes, created_at, filename, purpose, content) VALUES "
        "('in', 'proj_mine', 7, 100, 'in.jsonl', 'batch', "
        "'[{\"blob\":\"files/in\",\"bytes\":7}]');"));
    EXPECT_FALSE(old->exec("SELECT * FROM uploads"));
  }
  const auto store = open();
  EXPECT_EQ(store->file(kMine, FileId("in")).value(), file_record("in"));
  EXPECT_TRUE(store->insert_upload({.id = UploadId("u"), .project = kMine}, {"fp", "key"}));
  EXPECT_TRUE(store->check());
}

TEST_F(SqliteMetaStoreTest, UploadsRequestsAndWebhooksAreThereAfterReopening) {
  const WebhookEndpoint hook{
      .id = WebhookEndpointId("we"), .project = kMine, .event_types = {"batch.failed"}};
  {
    const auto store = open();
    ASSERT_TRUE(make_project(*store));
    ASSERT_TRUE(store->insert_upload({.id = UploadId("u"), .project = kMine}, {"fp", "key"}));
    ASSERT_TRUE(store->insert_part(kMine, {.id = PartId("p"), .upload = UploadId("u")}, {}));
    ASSERT_TRUE(store->insert_endpoint(hook, {}));
    ASSERT_TRUE(store->insert_batch(batch_record("b")));
    ASSERT_TRUE(store->update_batch(with_status(batch_record("b"), BatchStatus::failed)));
  }
  const auto store = open();
  EXPECT_EQ(ids(store->parts(kMine, UploadId("u")).value()), Names{"p"});
  EXPECT_EQ(store->made_by(kMine, "fp", at(0)).value(), "u");
  EXPECT_EQ(store->endpoint(kMine, hook.id).value(), hook);
  EXPECT_EQ(store->due_deliveries(at(1000), 9, 9)->size(), 1);
}

TEST_F(SqliteMetaStoreTest, FullDiskStoresNeitherTheEndOfABatchNorItsEvent) {
  auto& vfs = FaultyVfs::instance();
  const auto store = open(FaultyVfs::kName);
  ASSERT_TRUE(make_project(*store));
  ASSERT_TRUE(store->insert_endpoint(
      {.id = WebhookEndpointId("we"), .project = kMine, .event_types = {"batch.failed"}}, {}));
  ASSERT_TRUE(store->insert_batch(batch_record("b")));
  const BatchRecord end = with_status(batch_record("b"), BatchStatus::failed);
  vfs.full = true;
  EXPECT_EQ(kind_of(store->update_batch(end)), ErrorKind::storage_full);
  vfs.full = false;
  EXPECT_EQ(store->batch(kMine, BatchId("b")).value(), batch_record("b"));
  EXPECT_TRUE(store->due_deliveries(at(1000), 9, 9)->empty());
  ASSERT_TRUE(store->update_batch(end));
  EXPECT_EQ(store->due_deliveries(at(1000), 9, 9)->size(), 1);
}

TEST_F(SqliteMetaStoreTest, FullDiskCompletesNoUpload) {
  auto& vfs = FaultyVfs::instance();
  const auto store = open(FaultyVfs::kName);
  ASSERT_TRUE(make_project(*store));
  ASSERT_TRUE(store->insert_upload({.id = UploadId("u"), .project = kMine}, {}));
  ASSERT_TRUE(store->insert_part(kMine, {.id = PartId("p"), .upload = UploadId("u")}, {}));
  vfs.full = true;
  EXPECT_EQ(kind_of(store->complete_upload(kMine, UploadId("u"), file_record("f"))),
            ErrorKind::storage_full);
  vfs.full = false;
  EXPECT_EQ(store->upload(kMine, UploadId("u"))->status, UploadStatus::pending);
  EXPECT_EQ(kind_of(store->file(kMine, FileId("f"))), ErrorKind::not_found);
  EXPECT_EQ(store->parts(kMine, UploadId("u"))->size(), 1);
}

TEST_F(SqliteMetaStoreTest, ForeignDatabaseIsRefused) {
  with_database("CREATE TABLE recipes (name TEXT)");
  EXPECT_THAT(message_of(SqliteMetaStore::open(file_)), HasSubstr("not offpeak's"));
}

TEST_F(SqliteMetaStoreTest, FileThatIsNoDatabaseIsRefused) {
  FILE* const file = std::fopen(file_.c_str(), "w");
  std::fputs(std::string(4096, 'x').c_str(), file);
  std::fclose(file);
  EXPECT_THAT(message_of(SqliteMetaStore::open(file_)), HasSubstr(file_.string()));
}

TEST_F(SqliteMetaStoreTest, DirectoryThatIsNotThereSaysWhere) {
  const auto opened = SqliteMetaStore::open(directory_.path() / "nowhere" / "meta.db");
  EXPECT_THAT(message_of(opened), HasSubstr("nowhere"));
}

/// Writes files for ever and says each acknowledged one on `out`.
[[noreturn]] void write_until_killed(const std::filesystem::path& path, int out) {
  const auto store = SqliteMetaStore::open(path).value();
  static_cast<void>(store->create_project({kMine, "mine", at(1)}, key_of(kMine)));
  for (std::uint32_t i = 0;; ++i) {
    if (!store->insert_file(file_record(std::to_string(i)))) ::_exit(1);
    if (::write(out, &i, sizeof i) != sizeof i) ::_exit(2);
  }
}

TEST_F(SqliteMetaStoreTest, AcknowledgedWritesSurviveKillNine) {
  for (const std::uint32_t last : {0U, 37U, 200U}) {
    std::filesystem::remove(file_);
    int pipe_ends[2];
    ASSERT_EQ(::pipe(pipe_ends), 0);
    const pid_t child = ::fork();
    if (child == 0) write_until_killed(file_, pipe_ends[1]);
    ::close(pipe_ends[1]);
    std::uint32_t acknowledged = 0;
    do {
      ASSERT_EQ(::read(pipe_ends[0], &acknowledged, sizeof acknowledged),
                static_cast<ssize_t>(sizeof acknowledged));
    } while (acknowledged < last);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    while (::read(pipe_ends[0], &acknowledged, sizeof acknowledged) > 0) continue;
    ::close(pipe_ends[0]);

    const auto store = open();
    for (std::uint32_t i = 0; i <= acknowledged; ++i) {
      EXPECT_TRUE(store->file(kMine, FileId(std::to_string(i)))) << i << " of " << acknowledged;
    }
    EXPECT_TRUE(store->insert_file(file_record("after")));
  }
}

TEST_F(SqliteMetaStoreTest, FullDiskRefusesWritesAndTakesThemAgainLater) {
  auto& vfs = FaultyVfs::instance();
  const auto store = open(FaultyVfs::kName);
  ASSERT_TRUE(make_project(*store));
  vfs.full = true;
  EXPECT_EQ(kind_of(store->insert_file(file_record("f"))), ErrorKind::storage_full);
  EXPECT_EQ(kind_of(store->file(kMine, FileId("f"))), ErrorKind::not_found);
  EXPECT_TRUE(store->check());
  vfs.full = false;
  EXPECT_TRUE(store->insert_file(file_record("f")));
  EXPECT_TRUE(store->file(kMine, FileId("f")));
}

TEST_F(SqliteMetaStoreTest, FailedSyncIsSaidAndEndsAllWriting) {
  auto& vfs = FaultyVfs::instance();
  auto store = open(FaultyVfs::kName);
  ASSERT_TRUE(make_project(*store));
  vfs.sync_fails = true;
  const auto failed = store->insert_file(file_record("f"));
  EXPECT_EQ(kind_of(failed), ErrorKind::internal);
  EXPECT_THAT(message_of(failed), HasSubstr("fsync"));
  vfs.sync_fails = false;
  const int syncs = vfs.syncs;
  EXPECT_THAT(message_of(store->insert_file(file_record("g"))), HasSubstr("fsync"));
  EXPECT_THAT(message_of(store->check()), HasSubstr("fsync"));
  store.reset();
  EXPECT_EQ(vfs.syncs, syncs);
}

TEST_F(SqliteMetaStoreTest, EveryAcknowledgedWriteWasSynced) {
  auto& vfs = FaultyVfs::instance();
  const auto store = open(FaultyVfs::kName);
  ASSERT_TRUE(make_project(*store));
  for (int i = 0; i < 5; ++i) {
    const int before = vfs.syncs;
    ASSERT_TRUE(store->insert_file(file_record(std::to_string(i))));
    EXPECT_GT(vfs.syncs, before);
  }
}

TEST_F(SqliteMetaStoreTest, PurgedFileLeavesNoTraceOfItsName) {
  {
    const auto store = open();
    ASSERT_TRUE(make_project(*store));
    FileRecord file = file_record("f");
    file.filename = "a-very-private-name.jsonl";
    ASSERT_TRUE(store->insert_file(file));
    ASSERT_TRUE(store->delete_file(kMine, file.id));
    ASSERT_TRUE(store->purge_file(file.id));
  }
  FILE* const file = std::fopen(file_.c_str(), "r");
  std::string bytes(1 << 20, '\0');
  bytes.resize(std::fread(bytes.data(), 1, bytes.size(), file));
  std::fclose(file);
  EXPECT_THAT(bytes, HasSubstr("proj_mine"));
  EXPECT_THAT(bytes, Not(HasSubstr("very-private-name")));
}

}  // namespace
}  // namespace offpeak::meta_test
