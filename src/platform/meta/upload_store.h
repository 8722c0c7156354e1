// Uploads in parts (contract section 2): a part of MetaStore, with its rules.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/id.h"
#include "core/records/file.h"
#include "core/records/request_mark.h"
#include "core/records/upload.h"

namespace offpeak {

class UploadStore {
 public:
  virtual ~UploadStore() = default;

  virtual Status insert_upload(const UploadRecord& upload, const RequestMark& mark) = 0;
  virtual Result<UploadRecord> upload(const ProjectId& project, const UploadId& id) = 0;
  /// conflict if the upload is not pending any more; invalid_request for more than kUploadPartsMax.
  virtual Status insert_part(const ProjectId& project, const UploadPart& part,
                             const RequestMark& mark) = 0;
  /// Not_found for a dead part too; parts() leaves them out.
  virtual Result<UploadPart> part(const ProjectId& project, const PartId& id) = 0;
  virtual Result<std::vector<UploadPart>> parts(const ProjectId& project,
                                                const UploadId& upload) = 0;
  /// Pending to completed, and the file, in one transaction; conflict if it is not pending. Parts
  /// whose blobs are not in `file` become dead.
  virtual Result<UploadRecord> complete_upload(const ProjectId& project, const UploadId& id,
                                               const FileRecord& file) = 0;
  /// Pending to cancelled; all its parts become dead. conflict if it is not pending.
  virtual Result<UploadRecord> cancel_upload(const ProjectId& project, const UploadId& id) = 0;
  /// Pending uploads whose expires_at is not after `now` become expired; says how many.
  virtual Result<std::size_t> expire_uploads(UnixSeconds now) = 0;
  /// Parts that became dead: their blobs may go, then forget_part drops the record.
  virtual Result<std::vector<UploadPart>> dead_parts(std::size_t limit) = 0;
  virtual Status forget_part(const PartId& id) = 0;
};

}  // namespace offpeak
