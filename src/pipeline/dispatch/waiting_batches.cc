#include "pipeline/dispatch/waiting_batches.h"

#include <algorithm>
#include <utility>

namespace offpeak {

void WaitingBatches::add(BatchRecord batch) {
  auto& waiting = projects_[batch.project].waiting;
  waiting.push_back(std::move(batch));
}

std::optional<BatchRecord> WaitingBatches::take_next() {
  Queue* best = nullptr;
  for (auto& [project, queue] : projects_) {
    if (queue.waiting.empty()) continue;
    if (best == nullptr || queue.open < best->open) best = &queue;
  }
  if (best == nullptr) return std::nullopt;
  BatchRecord batch = std::move(best->waiting.front());
  best->waiting.pop_front();
  ++best->open;
  return batch;
}

void WaitingBatches::closed(const ProjectId& project) {
  const auto found = projects_.find(project);
  if (found == projects_.end() || found->second.open == 0) return;
  if (--found->second.open == 0 && found->second.waiting.empty()) projects_.erase(found);
}

std::optional<BatchRecord> WaitingBatches::take(const BatchId& id) {
  for (auto& [project, queue] : projects_) {
    const auto found = std::ranges::find(queue.waiting, id, &BatchRecord::id);
    if (found == queue.waiting.end()) continue;
    BatchRecord batch = std::move(*found);
    queue.waiting.erase(found);
    ++queue.open;
    return batch;
  }
  return std::nullopt;
}

std::vector<BatchRecord> WaitingBatches::take_expired(UnixSeconds now) {
  std::vector<BatchRecord> expired;
  for (auto& [project, queue] : projects_) {
    for (auto batch = queue.waiting.begin(); batch != queue.waiting.end();) {
      if (batch->expires_at > now) {
        ++batch;
        continue;
      }
      expired.push_back(std::move(*batch));
      batch = queue.waiting.erase(batch);
      ++queue.open;
    }
  }
  return expired;
}

}  // namespace offpeak
