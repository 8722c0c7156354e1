// The status machine of a batch (contract section 3.5): eight statuses, the only moves between
// them.
#pragma once

#include <optional>
#include <string_view>

namespace offpeak {

enum class BatchStatus {
  validating,
  failed,
  in_progress,
  finalizing,
  completed,
  expired,
  cancelling,
  cancelled,
};

std::string_view to_string(BatchStatus status);
std::optional<BatchStatus> parse_batch_status(std::string_view text);

/// A batch in a terminal status never changes again.
constexpr bool is_terminal(BatchStatus status) {
  return status == BatchStatus::failed || status == BatchStatus::completed ||
         status == BatchStatus::expired || status == BatchStatus::cancelled;
}

/// Whether `to` may directly follow `from`.
constexpr bool may_follow(BatchStatus from, BatchStatus to) {
  using enum BatchStatus;
  switch (from) {
    case validating:
      return to == in_progress || to == failed || to == cancelling || to == expired;
    case in_progress:
      return to == finalizing || to == cancelling || to == expired;
    case finalizing:
      return to == completed || to == expired;
    case cancelling:
      return to == cancelled;
    case failed:
    case completed:
    case expired:
    case cancelled:
      return false;
  }
  return false;
}

static_assert(!may_follow(BatchStatus::completed, BatchStatus::in_progress));
static_assert(!may_follow(BatchStatus::finalizing, BatchStatus::cancelling));

}  // namespace offpeak
