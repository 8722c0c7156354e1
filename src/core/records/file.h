// A file as the metadata store keeps it. The bytes live in the blob store.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/id.h"

namespace offpeak {

/// One stretch of a file's bytes. A file is the concatenation of its extents: an upload has one;
/// the output of a batch that survived a crash has one per journal part.
struct Extent {
  BlobKey blob;
  std::uint64_t bytes = 0;  // from the blob's beginning

  bool operator==(const Extent&) const = default;
};

struct FileRecord {
  FileId id;
  ProjectId project;
  std::uint64_t bytes = 0;
  UnixSeconds created_at;
  std::optional<UnixSeconds> expires_at;
  std::string filename;
  std::string purpose;
  std::vector<Extent> content;

  bool operator==(const FileRecord&) const = default;
};

}  // namespace offpeak
