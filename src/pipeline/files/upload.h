// A file on its way in: streamed to the blob store, checked, then recorded. Blocking; call it from
// a worker.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/random.h"
#include "core/records/file.h"
#include "pipeline/files/batch_file_check.h"
#include "platform/blob/blob_store.h"
#include "platform/meta/meta_store.h"

namespace offpeak {

struct FileStores {
  BlobStore& blobs;
  MetaStore& meta;
  const Clock& clock;
  Random& random;
};

/// What the caller says about the file; purposes and expiry have been checked.
struct FileAttributes {
  ProjectId project;
  std::string filename;
  std::string purpose;
  std::optional<std::chrono::seconds> expires_after;
};

/// The record of a file that begins to exist now; batch input expires even if nobody says so
/// (contract section 1.2).
FileRecord new_file_record(const FileStores& stores, FileId id, const FileAttributes& attributes,
                           std::vector<Extent> content);

class Upload {
 public:
  /// Nothing of the upload is visible before finish(); destroyed earlier, it leaves nothing.
  static Result<Upload> start(FileStores stores, std::uint64_t bytes_max);

  /// too_large once more than bytes_max bytes have come.
  Status append(std::string_view bytes);
  /// Checks a batch file's name and first line (contract section 1.4), makes the bytes durable,
  /// then the record, marked as `mark`'s work.
  Result<FileRecord> finish(const FileAttributes& attributes, const RequestMark& mark = {});
  /// Of the bytes so far.
  std::string content_hash() const { return hash_.hex(); }

 private:
  Upload(FileStores stores, std::uint64_t bytes_max, FileId id, std::unique_ptr<BlobWriter> writer);

  FileStores stores_;
  std::uint64_t bytes_max_;
  FileId id_;
  std::unique_ptr<BlobWriter> writer_;
  Hash128 hash_;
  BatchFileCheck check_;
};

}  // namespace offpeak
