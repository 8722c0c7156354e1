// The right of one worker to run a contiguous range of a batch's dispatch order.
#pragma once

#include <cstdint>

#include "base/clock.h"
#include "base/id.h"

namespace offpeak {

/// `epoch` grows with every acquisition of the batch, whoever makes it, and never repeats: results
/// are written under it, and a write under an older epoch is refused (fencing).
struct Lease {
  BatchId batch;
  WorkerId worker;
  std::uint64_t epoch = 0;
  std::uint32_t first = 0;  // positions in the dispatch order, [first, last)
  std::uint32_t last = 0;
  UnixSeconds expires_at;

  bool operator==(const Lease&) const = default;
};

}  // namespace offpeak
