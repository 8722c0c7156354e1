#include "sim/engine_model.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace offpeak::sim {
namespace {

constexpr double kNanosecondsPerSecond = 1e9;
constexpr double kTokenSlack = 1e-6;

}  // namespace

bool EngineModel::is_instant(const Job& job) const {
  return job.latency == 0 && options_.slots == 0 && options_.prefill_tokens_per_s == 0 &&
         options_.decode_tokens_per_s_total == 0 && options_.decode_tokens_per_s_per_sequence == 0;
}

void EngineModel::arrive(const Job& job, Nanoseconds now) {
  const auto done = advance(now);
  finished_.insert(finished_.end(), done.begin(), done.end());
  waiting_.push_back(job);
  admit(now);
}

void EngineModel::admit(Nanoseconds now) {
  while (!waiting_.empty() && (options_.slots == 0 || running_.size() < options_.slots)) {
    const Job job = waiting_.front();
    waiting_.pop_front();
    Running entry{.job = job, .prefill_end = now + job.latency};
    if (options_.prefill_tokens_per_s > 0) {
      const double seconds = job.prefill_tokens / options_.prefill_tokens_per_s;
      entry.prefill_end = std::max(entry.prefill_end, prefill_free_at_) +
                          static_cast<Nanoseconds>(seconds * kNanosecondsPerSecond);
      prefill_free_at_ = entry.prefill_end;
    }
    prefilling_.emplace(entry.prefill_end, job.id);
    running_[job.id] = entry;
  }
}

double EngineModel::decode_rate() const {
  double rate = std::numeric_limits<double>::infinity();
  if (options_.decode_tokens_per_s_per_sequence > 0) {
    rate = options_.decode_tokens_per_s_per_sequence;
  }
  if (options_.decode_tokens_per_s_total > 0 && !decoding_.empty()) {
    rate =
        std::min(rate, options_.decode_tokens_per_s_total / static_cast<double>(decoding_.size()));
  }
  return rate;
}

std::optional<Nanoseconds> EngineModel::next_decode_end() const {
  if (decoding_.empty()) return std::nullopt;
  const double tokens_left = std::max(0.0, decoding_.begin()->first - tokens_decoded_);
  const double wait = tokens_left / decode_rate() * kNanosecondsPerSecond;
  return now_ + static_cast<Nanoseconds>(std::ceil(wait));
}

std::optional<Nanoseconds> EngineModel::next_event() const {
  if (!finished_.empty()) return now_;
  auto next = next_decode_end();
  if (!prefilling_.empty()) {
    const auto prefill_end = prefilling_.begin()->first;
    next = next ? std::min(*next, prefill_end) : prefill_end;
  }
  return next;
}

void EngineModel::move_to(Nanoseconds now) {
  now = std::max(now, now_);
  const double rate = decode_rate();
  if (!decoding_.empty() && std::isfinite(rate)) {
    tokens_decoded_ += rate * static_cast<double>(now - now_) / kNanosecondsPerSecond;
  }
  now_ = now;
}

void EngineModel::begin_decode(std::uint64_t id) {
  auto& entry = running_.at(id);
  entry.decoding = true;
  const bool free = !std::isfinite(decode_rate()) && options_.decode_tokens_per_s_total == 0;
  entry.finish_at = tokens_decoded_ + (free ? 0.0 : static_cast<double>(entry.job.decode_tokens));
  decoding_.emplace(entry.finish_at, id);
}

std::vector<std::uint64_t> EngineModel::advance(Nanoseconds now) {
  auto finished = std::exchange(finished_, {});
  while (const auto event = next_event()) {
    if (*event > now) break;
    move_to(*event);
    while (!prefilling_.empty() && prefilling_.begin()->first <= now_) {
      const auto id = prefilling_.begin()->second;
      prefilling_.erase(prefilling_.begin());
      begin_decode(id);
    }
    while (!decoding_.empty() && decoding_.begin()->first <= tokens_decoded_ + kTokenSlack) {
      const auto id = decoding_.begin()->second;
      decoding_.erase(decoding_.begin());
      running_.erase(id);
      finished.push_back(id);
    }
    admit(now_);
  }
  move_to(now);
  return finished;
}

void EngineModel::cancel(std::uint64_t id, Nanoseconds now) {
  const auto done = advance(now);
  finished_.insert(finished_.end(), done.begin(), done.end());
  std::erase(finished_, id);
  std::erase_if(waiting_, [id](const Job& job) { return job.id == id; });
  const auto found = running_.find(id);
  if (found == running_.end()) return;
  if (found->second.decoding) {
    decoding_.erase({found->second.finish_at, id});
  } else {
    prefilling_.erase({found->second.prefill_end, id});
  }
  running_.erase(found);
  admit(now_);
}

}  // namespace offpeak::sim
