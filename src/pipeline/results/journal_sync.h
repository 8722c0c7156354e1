// Group commit: one thread that makes journal parts durable, all dirty ones together, at most every
// `interval`. Nobody waits for it; what is durable shows in Part::durable().
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <thread>

#include "base/error.h"
#include "pipeline/results/part.h"

namespace offpeak {

class JournalSync {
 public:
  /// `on_failure` is called from the sync thread when a sync fails: the data may be gone from
  /// memory, so that the only safe thing is to stop the process.
  JournalSync(std::chrono::milliseconds interval, std::function<void(const Error&)> on_failure);
  ~JournalSync();
  JournalSync(const JournalSync&) = delete;

  /// Asks for a sync of `part` (shared because its batch may end while the sync runs).
  void request(std::shared_ptr<Part> part);

 private:
  void run();

  std::chrono::milliseconds interval_;
  std::function<void(const Error&)> on_failure_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<std::shared_ptr<Part>> dirty_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace offpeak
