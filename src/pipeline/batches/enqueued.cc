#include "pipeline/batches/enqueued.h"

#include <fmt/format.h>

#include <string_view>

namespace offpeak {
namespace {

/// 90000 as "90,000".
std::string grouped(std::uint64_t number) {
  std::string digits = fmt::format("{}", number);
  for (std::size_t at = digits.size(); at > 3;) digits.insert(at -= 3, ",");
  return digits;
}

LineError limit_reached(std::string_view what, std::uint64_t limit, const ProjectId& project,
                        std::string_view model) {
  return {.code = "token_limit_exceeded",
          .message = fmt::format(
              "Enqueued {0} limit reached for {1} in organization {2}. Limit: {3} enqueued {0}s. "
              "Please try again once some in_progress batches have been completed.",
              what, model, project, grouped(limit))};
}

/// Without overflow.
bool exceeds(std::uint64_t counted, std::uint64_t more, std::uint64_t limit) {
  return counted > limit || more > limit - counted;
}

}  // namespace

const EnqueuedLimit& EnqueuedLimits::of(const std::string& requested,
                                        const std::string& served) const {
  for (const std::string& name : {requested, served}) {
    if (const auto own = models.find(name); own != models.end()) return own->second;
  }
  return each_model;
}

std::optional<LineError> EnqueuedBook::add(const BatchId& batch, const Enqueued& enqueued,
                                           const std::string& requested_model,
                                           const EnqueuedLimit& limit) {
  const std::lock_guard lock(mutex_);
  batches_.erase(batch);
  std::uint64_t tokens = 0;
  std::uint64_t requests = 0;
  for (const auto& [id, other] : batches_) {
    if (other.project != enqueued.project || other.model != enqueued.model) continue;
    tokens += other.tokens;
    requests += other.requests;
  }
  const std::string& name = requested_model.empty() ? enqueued.model : requested_model;
  if (exceeds(tokens, enqueued.tokens, limit.tokens)) {
    return limit_reached("token", limit.tokens, enqueued.project, name);
  }
  if (exceeds(requests, enqueued.requests, limit.requests)) {
    return limit_reached("request", limit.requests, enqueued.project, name);
  }
  batches_.emplace(batch, enqueued);
  return std::nullopt;
}

void EnqueuedBook::restore(const BatchId& batch, const Enqueued& enqueued) {
  const std::lock_guard lock(mutex_);
  batches_.insert_or_assign(batch, enqueued);
}

void EnqueuedBook::remove(const BatchId& batch) {
  const std::lock_guard lock(mutex_);
  batches_.erase(batch);
}

}  // namespace offpeak
