// Deadlines of many sockets for the price of one timer: a sweep every kSweepInterval looks at all
// of them, and setting one is an assignment. (A timer per request costs 1-2 µs and doubles the
// memory of an idle connection.) REQUIRES: one thread, the loop's.
#pragma once

#include <chrono>

#include "base/clock.h"
#include "platform/async/event_loop.h"

namespace offpeak::http {

class Watchdog;

/// Base of what can time out. Registered while it lives.
class Watched {
 public:
  explicit Watched(Watchdog& dog);
  virtual ~Watched();
  Watched(const Watched&) = delete;

  /// on_expired() is called once, within kSweepInterval after `deadline`, unless disarmed before.
  void arm(SteadyTime deadline) { deadline_ = deadline; }
  void disarm() { deadline_ = SteadyTime::max(); }

 protected:
  virtual void on_expired() = 0;

 private:
  friend class Watchdog;
  SteadyTime deadline_ = SteadyTime::max();
  Watched* next_ = nullptr;
  Watched** link_ = nullptr;  // the pointer that points here
};

class Watchdog {
 public:
  static constexpr auto kSweepInterval = std::chrono::milliseconds(50);

  explicit Watchdog(const Clock& clock) : clock_(clock) {}
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;

  const Clock& clock() const { return clock_; }
  /// Calls on_expired() of everything overdue.
  void sweep();
  /// Sweeps for ever; spawn it once on the loop.
  Task<> run(EventLoop& loop);

 private:
  friend class Watched;
  const Clock& clock_;
  Watched* first_ = nullptr;
};

}  // namespace offpeak::http
