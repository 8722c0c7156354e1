// Counters of the simulated engine, as vLLM names them and as GET /sim/stats shows them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace offpeak::sim {

struct Metrics {
  std::uint64_t prompt_tokens = 0;
  std::uint64_t generation_tokens = 0;
  std::uint64_t prefix_queries = 0;  // tokens
  std::uint64_t prefix_hits = 0;     // tokens
  std::uint64_t finished_stop = 0;
  std::uint64_t finished_length = 0;
  std::uint64_t finished_abort = 0;

  std::uint64_t attempts = 0;              // inference requests received
  std::uint64_t answers = 0;               // complete answers sent, whatever their status
  std::map<int, std::uint64_t> by_status;  // of attempts that are over; 0: no status line sent
  std::uint32_t in_flight = 0;
  std::uint32_t max_in_flight = 0;
  std::uint64_t bodies_repeated = 0;  // bodies seen more than once
};

struct Gauges {
  std::size_t running = 0;
  std::size_t waiting = 0;
  double kv_cache_usage = 0;  // 0 to 1
};

std::string render_prometheus(const Metrics& metrics, const Gauges& gauges, std::string_view model);
std::string render_stats(const Metrics& metrics, const Gauges& gauges);

}  // namespace offpeak::sim
