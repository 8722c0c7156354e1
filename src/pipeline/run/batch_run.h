// A batch that is being run by this process: its open files, its journal part, which rows are done.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "core/records/batch.h"
#include "core/records/lease.h"
#include "core/schedule/planner.h"
#include "pipeline/files/file_reader.h"
#include "pipeline/intake/row_index_reader.h"
#include "pipeline/results/part.h"
#include "pipeline/results/recovery.h"
#include "platform/blob/blob_store.h"
#include "platform/meta/meta_store.h"

namespace offpeak {

/// Why a run ends.
enum class Ending { none, completed, cancelled, expired };

/// What a row went through before it has an answer.
struct RowTrouble {
  std::uint32_t attempts = 0;
  std::optional<SteadyTime> unreachable_since;
};

/// A row as it goes to an upstream. The views point into `line`.
struct RowRequest {
  std::uint32_t row = 0;
  std::string line;
  std::string_view custom_id;  // JSON literal
  std::string_view body;
  std::string_view model;  // JSON literal, empty if the body names none
};

struct BatchRun {
  /// Takes the lease, recovers earlier parts, opens the files and a new part. Blocks.
  static Result<std::unique_ptr<BatchRun>> open(BlobStore& blobs, MetaStore& meta,
                                                const BatchRecord& record, const WorkerId& worker,
                                                UnixSeconds now);

  /// Reads one row; the line's bytes end up in `request`.
  Status read_row(std::uint32_t row, RowRequest& request) const;
  /// Appends the row's line to the part and marks the row done.
  void finish_row(const LedgerRecord& record, std::string_view line);
  /// The stretches of the dispatch order that are still to run.
  std::vector<PositionRange> remaining() const;
  std::uint32_t tokens_per_row() const;
  LedgerTotals durable() const;

  BatchRecord record;
  Lease lease;
  std::uint64_t name_seed = 0;  // of the rows' result names
  std::string requested_model;  // as the rows name it
  FileReader input;
  RowIndexReader index;
  std::vector<std::uint32_t> order;
  std::vector<bool> done;  // by row
  RecoveredParts recovered;
  std::shared_ptr<Part> part;  // shared with the sync thread
  std::uint32_t rows_left = 0;
  std::uint32_t in_flight = 0;
  Ending ending = Ending::none;
  std::unordered_map<std::uint32_t, RowTrouble> troubles;  // by position; only rows that had any
};

/// A lease lives this long without renewal.
inline constexpr auto kLeaseLife = std::chrono::seconds(120);

}  // namespace offpeak
