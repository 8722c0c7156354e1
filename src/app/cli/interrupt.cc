#include "app/cli/interrupt.h"

#include <algorithm>
#include <thread>

namespace offpeak::cli {
namespace {

volatile std::sig_atomic_t g_interrupted = 0;

void on_signal(int) {
  g_interrupted = 1;
}

}  // namespace

InterruptGuard::InterruptGuard() {
  g_interrupted = 0;
  struct sigaction action = {};
  action.sa_handler = on_signal;
  ::sigaction(SIGINT, &action, &old_int_);
  ::sigaction(SIGTERM, &action, &old_term_);
}

InterruptGuard::~InterruptGuard() {
  ::sigaction(SIGINT, &old_int_, nullptr);
  ::sigaction(SIGTERM, &old_term_, nullptr);
}

bool interrupted() {
  return g_interrupted != 0;
}

void pause_for(std::chrono::milliseconds duration) {
  constexpr std::chrono::milliseconds kSlice{50};
  while (duration.count() > 0 && !interrupted()) {
    std::this_thread::sleep_for(std::min(duration, kSlice));
    duration -= kSlice;
  }
}

}  // namespace offpeak::cli
