// Coroutines that wait for one common event.
#pragma once

#include <functional>
#include <vector>

#include "platform/async/task.h"

namespace offpeak {

/// REQUIRES: one loop's thread.
class WaitList {
 public:
  /// Suspends until the next release_all().
  Task<> wait();
  /// Resumes all that wait, one after the other, before it returns. What starts to wait meanwhile
  /// waits for the next call.
  void release_all();

 private:
  std::vector<std::move_only_function<void()>> waiting_;
};

}  // namespace offpeak
