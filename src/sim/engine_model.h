// When an answer would leave an engine with continuous batching: a small cost model, event by
// event.
//
// Up to `slots` requests run, the rest wait in arrival order. A running request first spends its
// latency, then its prompt goes through prefill (one prompt at a time, at a fixed token rate), then
// its tokens are decoded at min(per-sequence rate, total rate / sequences in decode). A rate of 0
// makes that phase free. Times are nanoseconds of any one monotonic clock and never go back.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

namespace offpeak::sim {

using Nanoseconds = std::int64_t;

struct EngineOptions {
  std::uint32_t slots = 0;  // 0: no limit
  double prefill_tokens_per_s = 0;
  double decode_tokens_per_s_total = 0;
  double decode_tokens_per_s_per_sequence = 0;
};

struct Job {
  std::uint64_t id = 0;
  Nanoseconds latency = 0;
  std::uint32_t prefill_tokens = 0;  // the prompt without what the prefix cache holds
  std::uint32_t decode_tokens = 0;
};

class EngineModel {
 public:
  explicit EngineModel(EngineOptions options) : options_(options) {}

  /// True when `job` would finish at once whatever else runs: the caller may skip the model.
  bool is_instant(const Job& job) const;

  void arrive(const Job& job, Nanoseconds now);
  /// The client went away. Unknown ids are ignored.
  void cancel(std::uint64_t id, Nanoseconds now);
  /// Ids that finished up to `now`, in order.
  std::vector<std::uint64_t> advance(Nanoseconds now);
  std::optional<Nanoseconds> next_event() const;

  std::size_t running() const { return running_.size(); }
  std::size_t waiting() const { return waiting_.size(); }

 private:
  struct Running {
    Job job;
    bool decoding = false;
    Nanoseconds prefill_end = 0;
    double finish_at = 0;  // in tokens_decoded_ units
  };

  void admit(Nanoseconds now);
  void begin_decode(std::uint64_t id);
  void move_to(Nanoseconds now);
  double decode_rate() const;
  std::optional<Nanoseconds> next_decode_end() const;

  EngineOptions options_;
  std::deque<Job> waiting_;
  std::unordered_map<std::uint64_t, Running> running_;
  std::set<std::pair<Nanoseconds, std::uint64_t>> prefilling_;
  std::set<std::pair<double, std::uint64_t>> decoding_;
  std::vector<std::uint64_t> finished_;
  Nanoseconds prefill_free_at_ = 0;
  Nanoseconds now_ = 0;
  double tokens_decoded_ = 0;  // what a sequence in decode since time 0 would have produced
};

}  // namespace offpeak::sim
