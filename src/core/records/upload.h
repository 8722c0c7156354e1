// An upload in parts as the metadata store keeps it (contract section 2). When it is completed it
// becomes an ordinary file whose extents are the parts' blobs: nothing is copied.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/id.h"

namespace offpeak {

enum class UploadStatus { pending, completed, cancelled, expired };

/// As the API names it.
constexpr std::string_view to_string(UploadStatus status) {
  switch (status) {
    case UploadStatus::pending:
      return "pending";
    case UploadStatus::completed:
      return "completed";
    case UploadStatus::cancelled:
      return "cancelled";
    case UploadStatus::expired:
      return "expired";
  }
  return "";
}

/// A file of more extents than this would need too many open files to read.
inline constexpr std::size_t kUploadPartsMax = 1024;

struct UploadRecord {
  UploadId id;
  ProjectId project;
  std::uint64_t bytes = 0;  // declared; the parts must add up to it
  UnixSeconds created_at;
  UnixSeconds expires_at;
  std::string filename;
  std::string purpose;
  std::string mime_type;
  std::optional<std::int64_t> file_expires_after_s;  // of the file it becomes
  UploadStatus status = UploadStatus::pending;
  std::optional<FileId> file;  // once completed

  bool operator==(const UploadRecord&) const = default;
};

/// One part, its bytes durable in a blob of its own.
struct UploadPart {
  PartId id;
  UploadId upload;
  UnixSeconds created_at;
  std::uint64_t bytes = 0;
  BlobKey blob;

  bool operator==(const UploadPart&) const = default;
};

}  // namespace offpeak
