// The command line of offpeak-sim.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "sim/engine_model.h"
#include "sim/fault.h"
#include "sim/wire.h"

namespace offpeak::sim {

/// Fixed at median_ms when sigma is 0, else log-normal.
struct Latency {
  double median_ms = 0;
  double sigma = 0;
};

/// `25`, or `lognormal:MEDIAN_MS:SIGMA`.
Result<Latency> parse_latency(std::string_view text);
/// The latency of the request with this key.
Nanoseconds sample_latency(const Latency& latency, std::uint64_t key);

struct Options {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;
  std::vector<std::string> models;
  std::uint64_t seed = 1;
  Latency latency;
  Nanoseconds stream_pause = 0;  // between two events of a stream
  EngineOptions engine;
  std::uint64_t kv_cache_tokens = 0;  // 0: 2,048 a slot
  std::size_t prefix_cache_blocks = 0;
  std::uint32_t embedding_dimensions = 32;
  std::vector<FaultSpec> faults;
  RetryHints retry_hints;
  bool fault_control = false;
  std::string log_path;
};

/// The process's exit status when it should not go on (--help: 0, a mistake: 2, said on stderr).
std::optional<int> parse_options(int argc, char** argv, Options& options);

}  // namespace offpeak::sim
