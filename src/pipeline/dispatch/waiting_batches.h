// Batches that are ready to run but not open yet. Only so many are open at a time; the next one
// comes from the project that has the fewest open, its oldest first.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "core/records/batch.h"

namespace offpeak {

class WaitingBatches {
 public:
  void add(BatchRecord batch);
  /// The next batch to open; it counts as open from now on.
  std::optional<BatchRecord> take_next();
  /// A batch that take_next() gave out is no longer open.
  void closed(const ProjectId& project);
  /// Takes one out of turn (it is being cancelled); it counts as open from now on.
  std::optional<BatchRecord> take(const BatchId& id);
  /// Takes those whose window has closed; they count as open from now on.
  std::vector<BatchRecord> take_expired(UnixSeconds now);

 private:
  struct Queue {
    std::deque<BatchRecord> waiting;
    std::size_t open = 0;
  };
  std::map<ProjectId, Queue> projects_;
};

}  // namespace offpeak
