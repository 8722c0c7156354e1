// A batch's row index as dispatch and finalize read it.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/error.h"
#include "base/id.h"
#include "core/jsonl/row_index.h"
#include "platform/blob/blob_store.h"

namespace offpeak {

class RowIndexReader {
 public:
  /// not_found if the batch has no whole index: intake has to run (again).
  static Result<RowIndexReader> open(BlobStore& blobs, const BatchId& batch);

  std::uint32_t rows() const { return static_cast<std::uint32_t>(trailer_.rows); }
  const IndexTrailer& trailer() const { return trailer_; }
  /// Thread-safe. An entry that fails its checksum is an error.
  Result<RowEntry> entry(std::uint32_t row) const;
  /// The dispatch order: rows in the order they are to run.
  Result<std::vector<std::uint32_t>> order() const;

 private:
  std::unique_ptr<BlobReader> blob_;
  IndexTrailer trailer_;
};

}  // namespace offpeak
