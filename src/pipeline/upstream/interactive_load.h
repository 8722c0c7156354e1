// Synchronous calls per upstream, counted apart from batch traffic. The relay counts; the
// dispatcher leaves these calls their room; others show the figures. Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "core/schedule/planner.h"

namespace offpeak {

class InteractiveLoad {
 public:
  enum class End {
    answered,   // whatever the status: the whole answer went through
    failed,     // no connection, no answer in time, or broken off by the upstream
    cancelled,  // the client went away
  };
  struct Figures {
    std::uint32_t in_flight = 0;
    std::uint64_t begun = 0;
    std::uint64_t answered = 0;
    std::uint64_t failed = 0;
    std::uint64_t cancelled = 0;
  };

  explicit InteractiveLoad(std::size_t upstreams) : counters_(upstreams) {}

  void begin(UpstreamIndex upstream);
  void end(UpstreamIndex upstream, End how);
  std::uint32_t in_flight(UpstreamIndex upstream) const;
  Figures figures(UpstreamIndex upstream) const;

 private:
  struct Counters {
    std::atomic<std::uint32_t> in_flight = 0;
    std::atomic<std::uint64_t> begun = 0;
    std::atomic<std::uint64_t> answered = 0;
    std::atomic<std::uint64_t> failed = 0;
    std::atomic<std::uint64_t> cancelled = 0;
  };
  std::vector<Counters> counters_;
};

}  // namespace offpeak
