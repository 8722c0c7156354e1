#include "pipeline/results/journal_sync.h"

#include <utility>

namespace offpeak {

JournalSync::JournalSync(std::chrono::milliseconds interval,
                         std::function<void(const Error&)> on_failure)
    : interval_(interval), on_failure_(std::move(on_failure)), thread_([this] { run(); }) {}

JournalSync::~JournalSync() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void JournalSync::request(std::shared_ptr<Part> part) {
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    first = dirty_.empty();
    dirty_.insert(std::move(part));
  }
  if (first) changed_.notify_one();
}

void JournalSync::run() {
  while (true) {
    std::set<std::shared_ptr<Part>> batch;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return stopping_ || !dirty_.empty(); });
      if (stopping_ && dirty_.empty()) return;
      batch = std::exchange(dirty_, {});
    }
    for (const auto& part : batch) {
      if (auto synced = part->sync(); !synced) on_failure_(synced.error());
    }
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, interval_, [&] { return stopping_; });
  }
}

}  // namespace offpeak
