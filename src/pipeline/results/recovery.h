// After a crash: what do the parts of a batch hold? Reads the ledgers, cuts torn tails, sums.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/error.h"
#include "base/id.h"
#include "core/records/file.h"
#include "pipeline/results/ledger.h"
#include "platform/blob/blob_store.h"

namespace offpeak {

struct RecoveredParts {
  LedgerTotals totals;
  std::vector<Extent> output;  // in the order of their epochs
  std::vector<Extent> errors;
};

/// Recovers every part of `batch`, oldest epoch first; parts without rows are removed. `on_row` is
/// told each row that is done. Afterwards everything told is durable.
///
/// Lines of the last two sync generations are checked against their checksums, since a power cut
/// may have kept a record and lost its line; older ones were synced before the record was written.
/// REQUIRES: nobody writes these parts.
Result<RecoveredParts> recover_parts(BlobStore& blobs, const BatchId& batch,
                                     const std::function<void(const LedgerRecord&)>& on_row);

}  // namespace offpeak
