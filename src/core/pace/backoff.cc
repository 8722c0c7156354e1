#include "core/pace/backoff.h"

#include <algorithm>

namespace offpeak {
namespace {

std::chrono::milliseconds scaled(std::chrono::milliseconds span, double factor) {
  return std::chrono::milliseconds(
      static_cast<std::int64_t>(static_cast<double>(span.count()) * factor));
}

}  // namespace

std::chrono::milliseconds backoff_delay(const BackoffPolicy& policy, std::uint32_t attempt,
                                        std::optional<std::chrono::milliseconds> wish,
                                        double unit) {
  const std::uint32_t doublings = std::min(attempt - 1, 20u);
  const auto ceiling = std::min(policy.max, policy.base * (1u << doublings));
  const auto own = scaled(ceiling, 0.5 + 0.5 * unit);
  if (!wish || *wish < own) return own;
  return *wish + scaled(*wish, 0.125 * unit);
}

}  // namespace offpeak
