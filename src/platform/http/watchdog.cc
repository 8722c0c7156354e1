#include "platform/http/watchdog.h"

namespace offpeak::http {

Watched::Watched(Watchdog& dog) : next_(dog.first_), link_(&dog.first_) {
  if (next_ != nullptr) next_->link_ = &next_;
  dog.first_ = this;
}

Watched::~Watched() {
  if (link_ == nullptr) return;
  *link_ = next_;
  if (next_ != nullptr) next_->link_ = link_;
}

Watchdog::~Watchdog() {
  // Coroutine frames that the loop drops at its end may outlive the watchdog.
  for (Watched* entry = first_; entry != nullptr; entry = entry->next_) entry->link_ = nullptr;
}

void Watchdog::sweep() {
  const SteadyTime now = clock_.steady_now();
  // on_expired() only closes a socket: nothing is destroyed before the loop runs again.
  for (Watched* entry = first_; entry != nullptr; entry = entry->next_) {
    if (entry->deadline_ > now) continue;
    entry->disarm();
    entry->on_expired();
  }
}

Task<> Watchdog::run(EventLoop& loop) {
  while (true) {
    co_await sleep_for(loop, kSweepInterval);
    sweep();
  }
}

}  // namespace offpeak::http
