// When a delivery that failed is tried again.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace offpeak {

/// Attempts of one delivery, the first included: about 72 hours pass between first and last.
inline constexpr std::uint32_t kDeliveryAttempts = 10;

/// The wait after attempt number `attempt` (1-based) has failed: 5 s, 5 min, 30 min, 2 h, 5 h,
/// 10 h, 14 h, 20 h, 20 h, each 20 % shorter to 20 % longer by `unit` in [0, 1), so that events of
/// one moment do not come back all at once. nullopt after the last: given up.
std::optional<std::chrono::milliseconds> delivery_retry_delay(std::uint32_t attempt, double unit);

}  // namespace offpeak
