// Blobs in memory, for tests: the contract of BlobStore, plus a full disk and a power cut on
// demand.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "platform/blob/blob_store.h"

namespace offpeak {

/// Outlives its writers and append blobs. Readers may outlive it.
class MemoryBlobStore final : public BlobStore {
 public:
  MemoryBlobStore();
  ~MemoryBlobStore() override;

  Result<std::unique_ptr<BlobWriter>> create(const BlobKey& key) override;
  Result<std::unique_ptr<BlobReader>> open(const BlobKey& key) override;
  Result<std::unique_ptr<AppendBlob>> open_append(const BlobKey& key) override;
  Status remove(const BlobKey& key) override;
  Result<std::vector<BlobKey>> list(std::string_view prefix) override;
  Result<std::uint64_t> free_bytes() override;

  /// While full, every append answers storage_full.
  void set_full(bool full);

  /// A power cut: uncommitted blobs and bytes that were not synced are gone, what was truncated
  /// without a sync is back. Writers and append blobs from before answer every call with an error.
  void lose_unsynced();

 private:
  class Writer;
  class Append;
  struct Blob;

  Status check_alive(std::uint64_t era) const;

  mutable std::mutex mutex_;
  std::map<BlobKey, std::shared_ptr<Blob>> blobs_;  // shared: readers outlive removal
  bool full_ = false;
  std::uint64_t era_ = 0;  // power cuts so far
};

}  // namespace offpeak
