// What the contract suite cannot see: modes, leftovers, and disks that fail halfway.
#include "platform/blob/disk_blob_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>

namespace offpeak {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

const BlobKey kKey("a/b/c");

/// Real files; fails the calls it is told to fail.
class FaultyOps final : public FileOps {
 public:
  ssize_t pwrite(int fd, const void* data, std::size_t bytes, off_t offset) override {
    if (interrupt_every_second_ && ++calls_ % 2 == 0) return refuse(EINTR);
    if (bytes_left_ == 0) return refuse(write_error_);
    const std::size_t some = std::min({bytes, chunk_, bytes_left_});
    bytes_left_ -= some;
    return FileOps::pwrite(fd, data, some, offset);
  }
  ssize_t pread(int fd, void* data, std::size_t bytes, off_t offset) override {
    if (interrupt_every_second_ && ++calls_ % 2 == 0) return refuse(EINTR);
    return FileOps::pread(fd, data, std::min(bytes, chunk_), offset);
  }
  int fdatasync(int fd) override {
    ++data_syncs_;
    return sync_error_ ? static_cast<int>(refuse(sync_error_)) : FileOps::fdatasync(fd);
  }
  int fsync(int fd) override {
    ++name_syncs_;
    return name_sync_error_ ? static_cast<int>(refuse(name_sync_error_)) : FileOps::fsync(fd);
  }
  int rename(const char* from, const char* to) override {
    return rename_error_ ? static_cast<int>(refuse(rename_error_)) : FileOps::rename(from, to);
  }

  std::size_t chunk_ = SIZE_MAX;
  std::size_t bytes_left_ = SIZE_MAX;
  bool interrupt_every_second_ = false;
  int write_error_ = ENOSPC;
  int sync_error_ = 0;
  int name_sync_error_ = 0;
  int rename_error_ = 0;
  int data_syncs_ = 0;
  int name_syncs_ = 0;

 private:
  static ssize_t refuse(int error) {
    errno = error;
    return -1;
  }
  int calls_ = 0;
};

class DiskBlobStoreTest : public testing::Test {
 protected:
  DiskBlobStoreTest() {
    std::string pattern = testing::TempDir() + "diskXXXXXX";
    parent_ = ::mkdtemp(pattern.data());
    root_ = parent_ / "blobs";
    store_ = DiskBlobStore::open(root_, ops_).value();
  }
  ~DiskBlobStoreTest() override { fs::remove_all(parent_); }

  std::string content(const BlobKey& key) {
    const auto reader = store_->open(key);
    if (!reader) return "<none>";
    std::string out((*reader)->size(), '?');
    out.resize((*reader)->read_at(0, out).value());
    return out;
  }

  static unsigned mode(const fs::path& path) {
    struct stat status{};
    EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
    return status.st_mode & 0777;
  }

  std::size_t temp_files() {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(root_ / ".tmp"), {}));
  }

  FaultyOps ops_;
  fs::path parent_;
  fs::path root_;
  std::unique_ptr<DiskBlobStore> store_;
};

TEST_F(DiskBlobStoreTest, NothingIsReadableByOthers) {
  ASSERT_TRUE(store_->create(kKey).value()->commit());
  ASSERT_TRUE(store_->open_append(BlobKey("a/d")));
  EXPECT_EQ(mode(root_), 0700);
  EXPECT_EQ(mode(root_ / ".tmp"), 0700);
  EXPECT_EQ(mode(root_ / "a/b"), 0700);
  EXPECT_EQ(mode(root_ / "a/b/c"), 0600);
  EXPECT_EQ(mode(root_ / "a/d"), 0600);
}

TEST_F(DiskBlobStoreTest, OpeningMakesAnExistingRootPrivate) {
  store_.reset();
  fs::permissions(root_, fs::perms{0755});
  store_ = DiskBlobStore::open(root_, ops_).value();
  EXPECT_EQ(mode(root_), 0700);
}

TEST_F(DiskBlobStoreTest, OpeningRemovesLeftoversAndKeepsBlobs) {
  ASSERT_TRUE(store_->create(kKey).value()->commit());
  std::ofstream(root_ / ".tmp" / "17") << "half an upload";
  ASSERT_EQ(temp_files(), 1);
  store_ = DiskBlobStore::open(root_, ops_).value();
  EXPECT_EQ(temp_files(), 0);
  EXPECT_EQ(store_->list("").value(), std::vector<BlobKey>{kKey});
}

TEST_F(DiskBlobStoreTest, RootThatCannotBeMadeSaysWhere) {
  const auto store = DiskBlobStore::open("/proc/nowhere/blobs");
  EXPECT_THAT(store.error().message, HasSubstr("/proc/nowhere/blobs"));
}

TEST_F(DiskBlobStoreTest, RemovingTheLastBlobRemovesItsDirectories) {
  ASSERT_TRUE(store_->create(kKey).value()->commit());
  ASSERT_TRUE(store_->create(BlobKey("a/z")).value()->commit());
  ASSERT_TRUE(store_->remove(kKey));
  EXPECT_FALSE(fs::exists(root_ / "a/b"));
  ASSERT_TRUE(store_->remove(BlobKey("a/z")));
  EXPECT_FALSE(fs::exists(root_ / "a"));
  EXPECT_TRUE(fs::exists(root_));
}

TEST_F(DiskBlobStoreTest, ShortAndInterruptedCallsAreFinished) {
  ops_.chunk_ = 3;
  ops_.interrupt_every_second_ = true;
  auto writer = store_->create(kKey).value();
  ASSERT_TRUE(writer->append("0123456789"));
  ASSERT_TRUE(writer->commit());
  EXPECT_EQ(content(kKey), "0123456789");
}

TEST_F(DiskBlobStoreTest, FullDiskLosesNothingAndTheAppendMayBeRepeated) {
  auto blob = store_->open_append(kKey).value();
  ASSERT_TRUE(blob->append("first,"));
  for (const int error : {ENOSPC, EDQUOT}) {
    ops_.bytes_left_ = 2;
    ops_.write_error_ = error;
    EXPECT_EQ(blob->append("second").error().kind, ErrorKind::storage_full);
    EXPECT_EQ(blob->size(), 6);
  }
  ops_.bytes_left_ = SIZE_MAX;
  ASSERT_TRUE(blob->append("2nd"));
  EXPECT_EQ(blob->size(), 9);
  std::string out(9, '?');
  EXPECT_EQ(blob->read_at(0, out).value(), 9);
  EXPECT_EQ(out, "first,2nd");
}

TEST_F(DiskBlobStoreTest, FullDiskDuringAnUploadLeavesNoTraceInTheBlob) {
  auto writer = store_->create(kKey).value();
  ASSERT_TRUE(writer->append("first,"));
  ops_.bytes_left_ = 4;
  EXPECT_EQ(writer->append("second").error().kind, ErrorKind::storage_full);
  EXPECT_EQ(writer->bytes(), 6);
  ASSERT_TRUE(writer->commit());
  EXPECT_EQ(content(kKey), "first,");
}

TEST_F(DiskBlobStoreTest, CommitSyncsDataAndEveryDirectory) {
  auto writer = store_->create(kKey).value();
  ops_.data_syncs_ = ops_.name_syncs_ = 0;
  ASSERT_TRUE(writer->commit());
  EXPECT_EQ(ops_.data_syncs_, 1);
  EXPECT_EQ(ops_.name_syncs_, 3);  // a/b, a, the root
  ASSERT_TRUE(store_->create(BlobKey("a/b/other")).value()->commit());
  EXPECT_EQ(ops_.name_syncs_, 4);  // a/b alone
  ASSERT_TRUE(store_->create(BlobKey("a/new/c")).value()->commit());
  EXPECT_EQ(ops_.name_syncs_, 6);  // a/new, a
}

TEST_F(DiskBlobStoreTest, DirectoryMadeAgainIsSyncedAgain) {
  ASSERT_TRUE(store_->create(kKey).value()->commit());
  ASSERT_TRUE(store_->remove(kKey));
  ops_.name_syncs_ = 0;
  ASSERT_TRUE(store_->create(kKey).value()->commit());
  EXPECT_EQ(ops_.name_syncs_, 3);
}

TEST_F(DiskBlobStoreTest, FirstSyncOfAnAppendBlobSyncsItsName) {
  auto blob = store_->open_append(kKey).value();
  ops_.data_syncs_ = ops_.name_syncs_ = 0;
  ASSERT_TRUE(blob->sync());
  EXPECT_EQ(ops_.name_syncs_, 3);
  ASSERT_TRUE(blob->sync());
  EXPECT_EQ(ops_.name_syncs_, 3);
  EXPECT_EQ(ops_.data_syncs_, 2);
}

TEST_F(DiskBlobStoreTest, FailedSyncIsSaidAndNeverRetried) {
  auto blob = store_->open_append(kKey).value();
  ASSERT_TRUE(blob->append("x"));
  for (const int error : {EIO, ENOSPC}) {
    ops_.sync_error_ = error;
    const auto failed = blob->sync();
    EXPECT_EQ(failed.error().kind, ErrorKind::internal);
    EXPECT_THAT(failed.error().message, HasSubstr("fsync"));
  }
  ops_.sync_error_ = 0;
  const int syncs = ops_.data_syncs_;
  EXPECT_THAT(blob->sync().error().message, HasSubstr("fsync"));
  EXPECT_EQ(ops_.data_syncs_, syncs);
}

TEST_F(DiskBlobStoreTest, FailedSyncOfAnUploadLeavesNoBlob) {
  auto writer = store_->create(kKey).value();
  ops_.sync_error_ = EIO;
  EXPECT_THAT(writer->commit().error().message, HasSubstr("fsync"));
  writer.reset();
  EXPECT_EQ(content(kKey), "<none>");
  EXPECT_EQ(temp_files(), 0);
}

TEST_F(DiskBlobStoreTest, FailedSyncOfADirectoryIsSaid) {
  auto writer = store_->create(kKey).value();
  ops_.name_sync_error_ = EIO;
  const auto committed = writer->commit();
  EXPECT_EQ(committed.error().kind, ErrorKind::internal);
  EXPECT_THAT(committed.error().message, HasSubstr("fsync"));
}

TEST_F(DiskBlobStoreTest, WriteThatMeetsABadDiskIsReportedAsOne) {
  auto blob = store_->open_append(kKey).value();
  ops_.bytes_left_ = 0;
  ops_.write_error_ = EIO;
  const auto appended = blob->append("x");
  EXPECT_EQ(appended.error().kind, ErrorKind::internal);
  EXPECT_THAT(appended.error().message, HasSubstr("fsync"));
}

TEST_F(DiskBlobStoreTest, FailedRenameLeavesTheOldBlob) {
  ASSERT_TRUE(store_->create(kKey).value()->commit());
  auto writer = store_->create(kKey).value();
  ASSERT_TRUE(writer->append("new"));
  ops_.rename_error_ = ENOSPC;
  EXPECT_EQ(writer->commit().error().kind, ErrorKind::storage_full);
  EXPECT_EQ(content(kKey), "");
  ops_.rename_error_ = 0;
  ASSERT_TRUE(writer->commit());
  EXPECT_EQ(content(kKey), "new");
}

}  // namespace
}  // namespace offpeak
