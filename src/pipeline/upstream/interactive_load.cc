#include "pipeline/upstream/interactive_load.h"

namespace offpeak {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;

}  // namespace

void InteractiveLoad::begin(UpstreamIndex upstream) {
  Counters& counters = counters_.at(upstream);
  counters.in_flight.fetch_add(1, kRelaxed);
  counters.begun.fetch_add(1, kRelaxed);
}

void InteractiveLoad::end(UpstreamIndex upstream, End how) {
  Counters& counters = counters_.at(upstream);
  auto& ended = how == End::answered ? counters.answered
                : how == End::failed ? counters.failed
                                     : counters.cancelled;
  ended.fetch_add(1, kRelaxed);
  counters.in_flight.fetch_sub(1, kRelaxed);
}

std::uint32_t InteractiveLoad::in_flight(UpstreamIndex upstream) const {
  return counters_.at(upstream).in_flight.load(kRelaxed);
}

InteractiveLoad::Figures InteractiveLoad::figures(UpstreamIndex upstream) const {
  const Counters& counters = counters_.at(upstream);
  return {.in_flight = counters.in_flight.load(kRelaxed),
          .begun = counters.begun.load(kRelaxed),
          .answered = counters.answered.load(kRelaxed),
          .failed = counters.failed.load(kRelaxed),
          .cancelled = counters.cancelled.load(kRelaxed)};
}

}  // namespace offpeak
