// Reads a file's bytes across its extents.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/error.h"
#include "core/records/file.h"
#include "platform/blob/blob_store.h"

namespace offpeak {

/// Thread-safe. Stays readable after the file has been deleted.
class FileReader {
 public:
  static Result<FileReader> open(BlobStore& blobs, const std::vector<Extent>& content);

  std::uint64_t size() const { return size_; }
  /// Fills `out` from `offset`; fewer bytes only at the end of the file. Bytes that the record
  /// promises and the store does not have are an error, never a short read.
  Result<std::size_t> read_at(std::uint64_t offset, std::span<char> out) const;

 private:
  struct Piece {
    std::uint64_t begin;  // in the file
    std::uint64_t bytes;
    std::unique_ptr<BlobReader> blob;
  };
  std::vector<Piece> pieces_;
  std::uint64_t size_ = 0;
};

}  // namespace offpeak
