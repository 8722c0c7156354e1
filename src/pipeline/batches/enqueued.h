// How much unfinished batches of a project have enqueued per model, and the limits on it (contract
// section 4.3, token_limit_exceeded). Thread-safe. In memory: after a restart the row indexes of
// the unfinished batches give the same figures again.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "base/id.h"
#include "core/records/batch.h"

namespace offpeak {

struct EnqueuedLimit {
  std::uint64_t tokens = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t requests = std::numeric_limits<std::uint64_t>::max();
};

struct EnqueuedLimits {
  EnqueuedLimit each_model;
  std::map<std::string, EnqueuedLimit> models;  // where a model has its own

  /// A model may be listed under the name that the requests use or under the one that is served.
  const EnqueuedLimit& of(const std::string& requested, const std::string& served) const;
};

/// What one batch enqueues.
struct Enqueued {
  ProjectId project;
  std::string model;  // as it is served
  std::uint64_t tokens = 0;
  std::uint64_t requests = 0;
};

class EnqueuedBook {
 public:
  /// Counts the batch, or says which limit it would break: then nothing is counted. What the batch
  /// itself had counted before is replaced.
  std::optional<LineError> add(const BatchId& batch, const Enqueued& enqueued,
                               const std::string& requested_model, const EnqueuedLimit& limit);
  /// As add() without a limit.
  void restore(const BatchId& batch, const Enqueued& enqueued);
  void remove(const BatchId& batch);

 private:
  std::mutex mutex_;
  std::map<BatchId, Enqueued> batches_;  // guarded by mutex_; the unfinished ones
};

}  // namespace offpeak
