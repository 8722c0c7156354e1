// Whether an upstream may be sent another attempt now: open in health, shut while it asks to be
// left alone (Retry-After), and one probe at a time while it cannot be reached.
#pragma once

#include <chrono>
#include <optional>

#include "base/clock.h"

namespace offpeak {

class UpstreamGate {
 public:
  static constexpr auto kProbeFirst = std::chrono::milliseconds(100);
  static constexpr auto kProbeMax = std::chrono::milliseconds(2000);

  /// Whether an attempt may start at `now`; while the upstream is down, saying yes starts a probe.
  bool try_enter(SteadyTime now);

  /// The upstream accepted a connection or answered, whatever it said.
  void reached();
  /// No connection came about. The next probe waits twice as long as the one before.
  void unreachable(SteadyTime now);
  /// The upstream asked for no requests for `delay` (429 or 503 with Retry-After).
  void pause(SteadyTime now, std::chrono::milliseconds delay);
  /// Lets the next probe go without the wait that has built up.
  void probe_soon(SteadyTime now) { next_probe_ = now + kProbeFirst; }
  /// An attempt let in by try_enter ended without having been sent.
  void abandoned() { probing_ = false; }

  /// When try_enter may say yes again; nullopt if it would now, or if a running probe decides.
  std::optional<SteadyTime> opens_at(SteadyTime now) const;
  bool down() const { return down_since_.has_value(); }
  std::optional<SteadyTime> down_since() const { return down_since_; }
  bool ever_reached() const { return ever_reached_; }

 private:
  std::optional<SteadyTime> down_since_;
  SteadyTime next_probe_{};
  SteadyTime paused_until_{};
  std::chrono::milliseconds probe_delay_ = kProbeFirst;
  bool probing_ = false;
  bool ever_reached_ = false;
};

}  // namespace offpeak
