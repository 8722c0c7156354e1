// Blobs as files below one directory (mode 0700, files 0600): key "a/b" is ROOT/a/b, unfinished
// writers live in ROOT/.tmp. A key cannot be both a blob and the beginning of another ("a", "a/b").
//
// ENOSPC and EDQUOT become storage_full. A failed fsync is never retried: see disk_file.h.
#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <mutex>
#include <set>

#include "platform/blob/blob_store.h"
#include "platform/blob/file_ops.h"

namespace offpeak {

/// Outlives its writers and append blobs. One process at a time may have a store open on a root.
class DiskBlobStore final : public BlobStore {
 public:
  /// Makes the root if there is none and clears what writers of an earlier process left behind.
  static Result<std::unique_ptr<DiskBlobStore>> open(const std::filesystem::path& root,
                                                     FileOps& ops = FileOps::real());

  Result<std::unique_ptr<BlobWriter>> create(const BlobKey& key) override;
  Result<std::unique_ptr<BlobReader>> open(const BlobKey& key) override;
  Result<std::unique_ptr<AppendBlob>> open_append(const BlobKey& key) override;
  Status remove(const BlobKey& key) override;
  Result<std::vector<BlobKey>> list(std::string_view prefix) override;
  Result<std::uint64_t> free_bytes() override;

 private:
  class Writer;
  class Append;

  DiskBlobStore(std::filesystem::path root, FileOps& ops);
  std::filesystem::path path_of(const BlobKey& key) const { return root_ / key.text(); }
  Status put_in_place(const std::filesystem::path& from, const BlobKey& key);
  Status sync_name(const BlobKey& key);

  std::filesystem::path root_;
  FileOps& ops_;
  std::atomic<std::uint64_t> temp_count_ = 0;
  std::mutex directories_;  // held while directories come and go; guards what follows
  std::set<std::filesystem::path> durable_directories_;  // those whose names are known to be synced
  std::uint64_t removals_ = 0;                           // of directories
};

}  // namespace offpeak
