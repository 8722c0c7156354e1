#include "base/clock.h"

namespace offpeak {

WallTime SystemClock::wall_now() const {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

SteadyTime SystemClock::steady_now() const {
  return std::chrono::steady_clock::now();
}

WallTime ManualClock::wall_now() const {
  return start_ + std::chrono::milliseconds(elapsed_ms_.load());
}

SteadyTime ManualClock::steady_now() const {
  return SteadyTime{} + std::chrono::milliseconds(elapsed_ms_.load());
}

}  // namespace offpeak
