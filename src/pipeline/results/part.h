// One part of a batch's result journal: output lines, error lines and the ledger that one worker
// writes under one lease. Append-only; the line files become the batch's result files as they are.
//
// A finished row goes through three stages: buffered (append), written (flush: survives kill -9 of
// this process), durable (sync: survives power loss; only then it is counted in public).
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/id.h"
#include "core/records/file.h"
#include "pipeline/results/ledger.h"
#include "platform/blob/blob_store.h"

namespace offpeak {

BlobKey index_key(const BatchId& batch);
/// `file` is "ledger", "output" or "errors".
BlobKey part_key(const BatchId& batch, std::uint64_t epoch, std::string_view file);
/// The prefix of all keys of a batch.
std::string batch_prefix(const BatchId& batch);

/// append() and flush() belong to one thread; sync() and durable() may be called from another.
class Part {
 public:
  static Result<std::unique_ptr<Part>> create(BlobStore& blobs, const BatchId& batch,
                                              std::uint64_t epoch);

  /// Buffers a row's line; the record's place, checksum and generation are filled in here.
  void append(LedgerRecord record, std::string_view line);
  bool has_unwritten() const { return !pending_.empty(); }
  std::size_t unwritten_bytes() const { return output_.buffer.size() + errors_.buffer.size(); }

  /// Hands everything buffered to the operating system, lines before ledger. After an error nothing
  /// is lost: the next flush goes on where this one stopped.
  Status flush();
  /// Makes everything flushed before the call durable.
  Status sync();

  LedgerTotals durable() const;
  /// Everything flushed; REQUIRES the writing thread.
  const LedgerTotals& written() const { return written_; }
  /// The line files' extents as far as flushed, empty ones left out.
  std::vector<Extent> extents(ResultFile file) const;

 private:
  struct LineFile {
    BlobKey key;
    std::unique_ptr<AppendBlob> blob;
    std::string buffer;
    std::uint64_t next_offset = 0;  // of the next line to be buffered
  };

  Part() = default;
  LineFile& line_file(ResultFile file) { return file == ResultFile::output ? output_ : errors_; }
  static Status flush_lines(LineFile& file);

  LineFile output_;
  LineFile errors_;
  std::unique_ptr<AppendBlob> ledger_;
  std::string ledger_buffer_;
  std::vector<LedgerRecord> pending_;
  LedgerTotals written_;
  std::mutex sync_mutex_;     // held for a whole sync
  mutable std::mutex mutex_;  // guards what follows
  LedgerTotals flushed_;
  LedgerTotals durable_;
  std::uint64_t generation_ = 0;
};

}  // namespace offpeak
