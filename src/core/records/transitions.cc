#include "core/records/transitions.h"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <utility>

namespace offpeak {
namespace {

void move_to(BatchRecord& batch, BatchStatus status) {
  if (!may_follow(batch.status, status)) {
    fmt::print(stderr, "bug: batch {} cannot go from {} to {}\n", batch.id, to_string(batch.status),
               to_string(status));
    std::abort();
  }
  batch.status = status;
}

void take_results(BatchRecord& batch, const BatchResults& results) {
  batch.output_file = results.output_file;
  batch.error_file = results.error_file;
  batch.counts = results.counts;
  batch.usage = results.usage;
}

}  // namespace

BatchRecord failed(BatchRecord batch, std::vector<LineError> errors, UnixSeconds now) {
  move_to(batch, BatchStatus::failed);
  batch.failed_at = now;
  batch.errors = std::move(errors);
  return batch;
}

BatchRecord started(BatchRecord batch, std::uint64_t rows, std::string model, UnixSeconds now) {
  move_to(batch, BatchStatus::in_progress);
  batch.in_progress_at = now;
  batch.counts.total = rows;
  batch.model = std::move(model);
  return batch;
}

BatchRecord finalizing(BatchRecord batch, UnixSeconds now) {
  move_to(batch, BatchStatus::finalizing);
  batch.finalizing_at = now;
  return batch;
}

BatchRecord completed(BatchRecord batch, const BatchResults& results, UnixSeconds now) {
  move_to(batch, BatchStatus::completed);
  batch.completed_at = now;
  take_results(batch, results);
  return batch;
}

BatchRecord cancelled(BatchRecord batch, const BatchResults& results, UnixSeconds now) {
  move_to(batch, BatchStatus::cancelled);
  batch.cancelled_at = now;
  take_results(batch, results);
  return batch;
}

BatchRecord expired(BatchRecord batch, const BatchResults& results, UnixSeconds now) {
  if (batch.status == BatchStatus::in_progress) batch = finalizing(std::move(batch), now);
  move_to(batch, BatchStatus::expired);
  batch.expired_at = now;
  take_results(batch, results);
  return batch;
}

Result<BatchRecord> request_cancel(BatchRecord batch, UnixSeconds now) {
  switch (batch.status) {
    case BatchStatus::validating:
    case BatchStatus::in_progress:
      move_to(batch, BatchStatus::cancelling);
      batch.cancelling_at = now;
      return batch;
    case BatchStatus::finalizing:
    case BatchStatus::cancelling:
    case BatchStatus::cancelled:
      return batch;
    case BatchStatus::completed:
    case BatchStatus::failed:
    case BatchStatus::expired:
      return fail(ErrorKind::conflict,
                  fmt::format("Cannot cancel a batch with status '{}'.", to_string(batch.status)));
  }
  std::unreachable();
}

}  // namespace offpeak
