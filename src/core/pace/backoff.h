// How long to wait before the next attempt of a row.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace offpeak {

struct BackoffPolicy {
  std::uint32_t max_attempts = 5;  // the first one included
  std::chrono::milliseconds base = std::chrono::milliseconds(500);
  std::chrono::milliseconds max = std::chrono::seconds(30);
};

/// The wait after attempt number `attempt` (1-based): base * 2^(attempt-1), at most max, of which
/// the upper half is jitter (`unit` in [0, 1)). The upstream's own wish, if longer, is the least
/// wait, and jitter of up to an eighth is added so that rows do not come back all at once.
std::chrono::milliseconds backoff_delay(const BackoffPolicy& policy, std::uint32_t attempt,
                                        std::optional<std::chrono::milliseconds> wish, double unit);

}  // namespace offpeak
