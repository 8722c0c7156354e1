// Reading time. Product code never calls std::chrono::*::now() itself: it asks an injected Clock,
// so that tests decide what time it is. Waiting is platform/async's business.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace offpeak {

using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;
/// Durations and deadlines inside one process; never jumps.
using SteadyTime = std::chrono::steady_clock::time_point;
/// Timestamps of the API and the metadata store.
using UnixSeconds = std::chrono::sys_seconds;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual WallTime wall_now() const = 0;
  virtual SteadyTime steady_now() const = 0;

  UnixSeconds unix_now() const { return std::chrono::floor<std::chrono::seconds>(wall_now()); }
};

class SystemClock final : public Clock {
 public:
  WallTime wall_now() const override;
  SteadyTime steady_now() const override;
};

/// Stands still until advanced; both readings move together. Thread-safe.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(WallTime start) : start_(start) {}

  WallTime wall_now() const override;
  SteadyTime steady_now() const override;
  void advance(std::chrono::milliseconds by) { elapsed_ms_ += by.count(); }

 private:
  WallTime start_;
  std::atomic<std::int64_t> elapsed_ms_ = 0;
};

}  // namespace offpeak
