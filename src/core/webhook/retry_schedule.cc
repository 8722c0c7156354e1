#include "core/webhook/retry_schedule.h"

#include <array>

namespace offpeak {
namespace {

using namespace std::chrono_literals;

constexpr std::array<std::chrono::milliseconds, kDeliveryAttempts - 1> kWaits = {
    5s, 5min, 30min, 2h, 5h, 10h, 14h, 20h, 20h};

}  // namespace

std::optional<std::chrono::milliseconds> delivery_retry_delay(std::uint32_t attempt, double unit) {
  if (attempt == 0 || attempt > kWaits.size()) return std::nullopt;
  const double factor = 0.8 + 0.4 * unit;
  return std::chrono::milliseconds(
      static_cast<std::int64_t>(static_cast<double>(kWaits[attempt - 1].count()) * factor));
}

}  // namespace offpeak
