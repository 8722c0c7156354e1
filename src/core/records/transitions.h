// Moving a batch along its status machine: record in, record out, time as an argument. Nothing else
// in the tree assigns BatchRecord::status. Each function REQUIRES a record that may make the move
// and aborts otherwise (a bug), except request_cancel, which answers a user.
#pragma once

#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "core/records/batch.h"

namespace offpeak {

/// What finalizing a batch found out and made.
struct BatchResults {
  std::optional<FileId> output_file;
  std::optional<FileId> error_file;
  RequestCounts counts;
  TokenUsage usage;
};

/// Intake refused the file. Counts stay 0/0/0.
BatchRecord failed(BatchRecord batch, std::vector<LineError> errors, UnixSeconds now);

/// Intake accepted the file: `rows` rows for `model`.
BatchRecord started(BatchRecord batch, std::uint64_t rows, std::string model, UnixSeconds now);

/// Every row has its answer; the result files are being made.
BatchRecord finalizing(BatchRecord batch, UnixSeconds now);

/// The end of a batch: completed after finalizing, cancelled after cancelling; `expired` from any
/// unfinished status whose window has closed.
BatchRecord completed(BatchRecord batch, const BatchResults& results, UnixSeconds now);
BatchRecord cancelled(BatchRecord batch, const BatchResults& results, UnixSeconds now);
BatchRecord expired(BatchRecord batch, const BatchResults& results, UnixSeconds now);

/// A user's cancel (contract section 3.7): unchanged when already cancelling or cancelled, conflict
/// when the batch is finished. A batch that is finalizing comes back unchanged too: its rows have
/// all been answered, so it completes.
Result<BatchRecord> request_cancel(BatchRecord batch, UnixSeconds now);

}  // namespace offpeak
