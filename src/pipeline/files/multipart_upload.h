// Files that come in parts (contract section 2): each part is a blob of its own, durable before it
// is acknowledged, and a completed upload is an ordinary file made of them; nothing is copied.
// Everything here blocks; call it from a worker.
//
// Another project's upload is an unknown one: not_found. What an upload's state forbids, and what
// the caller got wrong, is invalid_request, in words for the caller.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/hash.h"
#include "core/openai/uploads.h"
#include "core/records/file.h"
#include "core/records/request_mark.h"
#include "core/records/upload.h"
#include "pipeline/files/upload.h"
#include "platform/blob/blob_store.h"

namespace offpeak {

/// Of one part's data (contract section 2).
inline constexpr std::uint64_t kPartBytesMax = 64ull << 20;
inline constexpr std::chrono::hours kUploadLife{1};

std::unexpected<Error> part_too_large();

/// A part on its way in. Destroyed before finish(), it leaves nothing.
class IncomingPart {
 public:
  /// too_large once more than kPartBytesMax bytes have come.
  Status append(std::string_view bytes);
  /// Makes the bytes durable, then the record.
  Result<UploadPart> finish(const RequestMark& mark);
  /// Of the bytes so far.
  std::string content_hash() const { return hash_.hex(); }

 private:
  friend class MultipartUploads;
  IncomingPart(FileStores stores, ProjectId project, UploadPart part,
               std::unique_ptr<BlobWriter> writer);

  FileStores stores_;
  ProjectId project_;
  UploadPart part_;
  std::unique_ptr<BlobWriter> writer_;
  Hash128 hash_;
};

struct EndedUpload {
  UploadRecord upload;
  std::optional<FileRecord> file;  // absent also if it has been deleted since
};

class MultipartUploads {
 public:
  /// What `stores` names outlives it.
  explicit MultipartUploads(FileStores stores) : stores_(stores) {}

  Result<UploadRecord> create(const ProjectId& project, const CreateUpload& create,
                              const RequestMark& mark) const;
  Result<IncomingPart> start_part(const ProjectId& project, const UploadId& id) const;
  /// The same parts once more give the completed upload again: clients repeat what got no answer.
  Result<EndedUpload> complete(const ProjectId& project, const UploadId& id,
                               const CompleteUpload& complete) const;
  /// Cancelling twice is no error.
  Result<UploadRecord> cancel(const ProjectId& project, const UploadId& id) const;

 private:
  Status check_room(const UploadRecord& upload) const;
  Result<UploadRecord> open_upload(const ProjectId& project, const UploadId& id) const;
  Result<std::vector<Extent>> assemble(const UploadRecord& upload,
                                       const std::vector<PartId>& parts) const;
  Status check_content(const FileRecord& file, const std::optional<std::string>& md5) const;
  Result<EndedUpload> completed_before(const UploadRecord& upload,
                                       const std::vector<PartId>& parts) const;

  FileStores stores_;
};

/// Removes the blobs of parts that a crash kept from being recorded. Before anything is served: a
/// part under way looks the same.
Status remove_unrecorded_parts(BlobStore& blobs, MetaStore& meta);

}  // namespace offpeak
