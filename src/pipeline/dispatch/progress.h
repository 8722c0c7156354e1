// What unfinished batches show of themselves while they run: sums of durable rows only, so that a
// count once shown never falls, also across a crash. Thread-safe.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "base/id.h"
#include "pipeline/results/part.h"

namespace offpeak {

class ProgressBoard {
 public:
  /// What earlier parts hold; `part` (may be null) is what is being written now.
  void show(const BatchId& batch, const LedgerTotals& earlier, std::shared_ptr<const Part> part);
  void forget(const BatchId& batch);
  std::optional<LedgerTotals> totals(const BatchId& batch) const;

 private:
  struct Entry {
    LedgerTotals earlier;
    std::shared_ptr<const Part> part;  // shared: the batch may end while it is read
  };
  mutable std::mutex mutex_;
  std::unordered_map<BatchId, Entry> entries_;
};

}  // namespace offpeak
