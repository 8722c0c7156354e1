// Ctrl-C and SIGTERM as a flag that loops and transfers look at.
#pragma once

#include <chrono>
#include <csignal>

namespace offpeak::cli {

/// While it lives, SIGINT and SIGTERM set the flag instead of ending the process. One at a time.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

 private:
  struct sigaction old_int_ = {};
  struct sigaction old_term_ = {};
};

bool interrupted();

/// Returns early when interrupted.
void pause_for(std::chrono::milliseconds duration);

}  // namespace offpeak::cli
