// A file on its way in: streamed to the blob store, checked, then recorded. Blocking; call it from
// a worker.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "base/random.h"
#include "core/records/file.h"
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

class Upload {
 public:
  /// Nothing of the upload is visible before finish(); destroyed earlier, it leaves nothing.
  static Result<Upload> start(FileStores stores, std::uint64_t bytes_max);

  /// too_large once more than bytes_max bytes have come.
  Status append(std::string_view bytes);
  /// Checks a batch file's name and first line (contract section 1.4), makes the bytes durable,
  /// then the record.
  Result<FileRecord> finish(const FileAttributes& attributes);

 private:
  Upload(FileStores stores, std::uint64_t bytes_max, FileId id, std::unique_ptr<BlobWriter> writer);
  void keep_first_line(std::string_view bytes);
  bool first_line_is_json() const;

  FileStores stores_;
  std::uint64_t bytes_max_;
  FileId id_;
  std::unique_ptr<BlobWriter> writer_;
  std::string first_line_;  // that is not blank
  bool first_line_ended_ = false;
};

}  // namespace offpeak
