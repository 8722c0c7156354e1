// A batch as the metadata store keeps it (contract section 3.4), and the errors found in its input.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/id.h"
#include "core/records/batch_status.h"
#include "core/records/usage.h"

namespace offpeak {

/// Why an input file was refused (contract section 4.3). Lines are 1-based; 0 means the whole file.
struct LineError {
  std::string code;
  std::string message;
  std::string param;  // empty for null
  std::uint64_t line = 0;

  bool operator==(const LineError&) const = default;
};

/// `completed` counts rows answered with 200, `failed` rows with a final answer other than 200 or
/// none at all. Rows that never ran are in neither, so completed + failed may stay below total.
struct RequestCounts {
  std::uint64_t total = 0;
  std::uint64_t completed = 0;
  std::uint64_t failed = 0;

  bool operator==(const RequestCounts&) const = default;
};

/// The caller's key/value pairs, in the caller's order.
using Metadata = std::vector<std::pair<std::string, std::string>>;

struct BatchRecord {
  BatchId id;
  ProjectId project;
  FileId input_file;
  std::string endpoint;           // "/v1/chat/completions"
  std::string completion_window;  // as the caller wrote it: "24h"
  std::string model;              // resolved name; empty until processing starts
  BatchStatus status = BatchStatus::validating;
  std::vector<LineError> errors;
  std::optional<FileId> output_file;
  std::optional<FileId> error_file;
  UnixSeconds created_at;
  UnixSeconds expires_at;  // end of the completion window
  std::optional<UnixSeconds> in_progress_at;
  std::optional<UnixSeconds> finalizing_at;
  std::optional<UnixSeconds> completed_at;
  std::optional<UnixSeconds> failed_at;
  std::optional<UnixSeconds> expired_at;
  std::optional<UnixSeconds> cancelling_at;
  std::optional<UnixSeconds> cancelled_at;
  RequestCounts counts;
  TokenUsage usage;
  std::optional<Metadata> metadata;
  std::optional<std::int64_t> output_expires_after_s;
  /// Raised by every update; an update against an older version is refused (MetaStore).
  std::uint64_t version = 0;

  bool operator==(const BatchRecord&) const = default;
};

}  // namespace offpeak
