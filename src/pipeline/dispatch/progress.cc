#include "pipeline/dispatch/progress.h"

#include <utility>

namespace offpeak {

void ProgressBoard::show(const BatchId& batch, const LedgerTotals& earlier,
                         std::shared_ptr<const Part> part) {
  const std::lock_guard lock(mutex_);
  entries_.insert_or_assign(batch, Entry{earlier, std::move(part)});
}

void ProgressBoard::forget(const BatchId& batch) {
  const std::lock_guard lock(mutex_);
  entries_.erase(batch);
}

std::optional<LedgerTotals> ProgressBoard::totals(const BatchId& batch) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(batch);
  if (found == entries_.end()) return std::nullopt;
  LedgerTotals totals = found->second.earlier;
  if (found->second.part) totals += found->second.part->durable();
  return totals;
}

}  // namespace offpeak
