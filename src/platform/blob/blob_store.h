// Bytes under keys: uploaded files, row indexes, result journals. Implementations: DiskBlobStore,
// MemoryBlobStore; one contract suite (blob_contract_test.cc) holds for all.
//
// Keys are ours, never a user's text: "/"-separated segments of [A-Za-z0-9._-], none starting with
// a dot. All calls block and may be made from any thread; one writer object belongs to one thread
// at a time unless its comment says more. Errors: storage_full when there is no room (nothing is
// lost, the call may be repeated), not_found, else internal.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/id.h"

namespace offpeak {

/// Writes one immutable blob. Invisible until commit(); destroyed without commit, it leaves
/// nothing.
class BlobWriter {
 public:
  virtual ~BlobWriter() = default;
  virtual Status append(std::string_view bytes) = 0;
  virtual std::uint64_t bytes() const = 0;
  /// After success the blob exists whole and survives power loss (data, name and directory synced).
  virtual Status commit() = 0;
};

/// Reads one blob. Thread-safe. Stays valid after the blob has been removed.
class BlobReader {
 public:
  virtual ~BlobReader() = default;
  virtual std::uint64_t size() const = 0;
  /// Fills `out` from `offset`; fewer bytes only at the end of the blob.
  virtual Result<std::size_t> read_at(std::uint64_t offset, std::span<char> out) const = 0;
};

/// A blob that grows at its end: the result journal. append() and truncate() belong to one thread;
/// sync() and size() may be called from another at the same time.
class AppendBlob {
 public:
  virtual ~AppendBlob() = default;
  virtual std::uint64_t size() const = 0;
  /// Hands `bytes` to the operating system: they survive kill -9 of this process, not power loss.
  /// On an error size() is unchanged and the next append overwrites what was partly written.
  virtual Status append(std::string_view bytes) = 0;
  /// Makes durable everything appended before the call, the blob's name included.
  virtual Status sync() = 0;
  /// Cuts the blob to `bytes`, which is at most size().
  virtual Status truncate(std::uint64_t bytes) = 0;
  virtual Result<std::size_t> read_at(std::uint64_t offset, std::span<char> out) const = 0;
};

class BlobStore {
 public:
  virtual ~BlobStore() = default;
  /// Starts a blob; an existing one of that key is replaced at commit.
  virtual Result<std::unique_ptr<BlobWriter>> create(const BlobKey& key) = 0;
  virtual Result<std::unique_ptr<BlobReader>> open(const BlobKey& key) = 0;
  /// Opens the growing blob `key`, making an empty one if there is none.
  virtual Result<std::unique_ptr<AppendBlob>> open_append(const BlobKey& key) = 0;
  /// Removing what does not exist is no error.
  virtual Status remove(const BlobKey& key) = 0;
  /// Keys that begin with `prefix`, sorted.
  virtual Result<std::vector<BlobKey>> list(std::string_view prefix) = 0;
  virtual Result<std::uint64_t> free_bytes() = 0;
};

}  // namespace offpeak
