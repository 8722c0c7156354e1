// Which row next? A value-like object: time and capacity come in, a decision goes out; no I/O, no
// threads (REQUIRES: one thread).
//
// Each upstream runs a contiguous range of a batch's dispatch order, so that its prefix cache sees
// neighbours; an idle upstream steals the far half of the longest range. Between projects the one
// that has been served the fewest tokens goes first; inside a project the batch with the fewest
// rows left, unless another one's window is about to close. An upstream stays with a batch for a
// quantum of rows.
#pragma once

#include <bitset>
#include <cstdint>
#include <map>
#include <optional>
#include <queue>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/id.h"

namespace offpeak {

inline constexpr std::size_t kUpstreamsMax = 64;
using UpstreamIndex = std::uint32_t;
using UpstreamSet = std::bitset<kUpstreamsMax>;

/// Names an open batch inside one process.
enum class BatchTicket : std::uint64_t {};

/// Positions [first, last) of a dispatch order.
struct PositionRange {
  std::uint32_t first = 0;
  std::uint32_t last = 0;

  std::uint32_t size() const { return last - first; }
  bool operator==(const PositionRange&) const = default;
};

struct PlannedBatch {
  ProjectId project;
  UpstreamSet upstreams;              // those that serve its model
  std::vector<PositionRange> ranges;  // rows still to run, ascending
  std::uint32_t tokens_per_row = 1;   // estimate, for sharing between projects
  WallTime expires_at;
};

struct PlannedRow {
  BatchTicket batch;
  std::uint32_t position;

  bool operator==(const PlannedRow&) const = default;
};

class Planner {
 public:
  static constexpr std::uint32_t kQuantumRows = 64;
  /// A batch whose window closes sooner than this goes before shorter ones.
  static constexpr auto kDeadlineGuard = std::chrono::minutes(30);

  void add(BatchTicket ticket, PlannedBatch batch);
  /// Changes which upstreams serve the batch's model.
  void serve_on(BatchTicket ticket, UpstreamSet upstreams);
  /// Forgets the batch: none of its rows comes out again.
  void remove(BatchTicket ticket);

  std::optional<PlannedRow> next(UpstreamIndex upstream, SteadyTime now, WallTime wall_now);
  /// Gives a row back, to come out again not before `not_before`, on any upstream.
  void retry(PlannedRow row, SteadyTime not_before);
  /// When a row given back becomes due for `upstream`; nullopt if none waits.
  std::optional<SteadyTime> next_retry(UpstreamIndex upstream) const;

 private:
  struct Retry {
    SteadyTime not_before;
    std::uint32_t position;
    bool operator>(const Retry& other) const { return not_before > other.not_before; }
  };
  struct OpenBatch {
    PlannedBatch plan;
    std::map<UpstreamIndex, PositionRange> running;  // what each upstream is working through
    std::priority_queue<Retry, std::vector<Retry>, std::greater<>> retries;
    std::uint64_t rows_left = 0;

    bool has_work(SteadyTime now) const;
  };
  struct Stay {
    BatchTicket batch;
    std::uint32_t rows_left;
  };

  bool may_stay(BatchTicket ticket, UpstreamIndex upstream, SteadyTime now) const;
  std::optional<BatchTicket> choose(UpstreamIndex upstream, SteadyTime now,
                                    WallTime wall_now) const;
  static std::optional<std::uint32_t> take(OpenBatch& batch, UpstreamIndex upstream,
                                           SteadyTime now);
  static bool refill(OpenBatch& batch, UpstreamIndex upstream);
  /// The service a project starts from: none may claim what it did not use while it was idle.
  std::uint64_t least_served() const;

  std::map<BatchTicket, OpenBatch> batches_;
  std::unordered_map<ProjectId, std::uint64_t> served_tokens_;
  std::unordered_map<ProjectId, std::uint32_t> open_batches_;
  std::map<UpstreamIndex, Stay> stays_;
};

}  // namespace offpeak
