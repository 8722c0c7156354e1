// What the simulated server does with a request, apart from the sockets: routes, faults, cost
// model, counters and log. Time is passed in: `now` in nanoseconds of CLOCK_MONOTONIC.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/attempt_log.h"
#include "sim/engine_model.h"
#include "sim/fault.h"
#include "sim/metrics.h"
#include "sim/options.h"
#include "sim/prefix_cache.h"
#include "sim/request_parser.h"
#include "sim/wire.h"

namespace offpeak::sim {

/// One request and its answer; each connection reuses one.
struct Exchange {
  bool is_inference = false;
  bool in_engine = false;
  bool in_flight = false;
  bool hit_token_limit = false;
  Attempt attempt;
  WireAnswer answer;
};

/// How much of an answer the kernel took.
enum class Sent { nothing, part, all };

struct Now {
  Nanoseconds steady = 0;
  std::int64_t unix_seconds = 0;
};

class Simulator {
 public:
  /// `log` outlives the simulator.
  Simulator(const Options& options, AttemptLog& log);

  /// Fills `exchange.answer`. True: send it now; false: when advance() names `id`.
  bool begin(std::uint64_t id, const HttpRequest& request, Exchange& exchange, Now now);
  /// The engine is through with it: call for each id that advance() names.
  void leave_engine(Exchange& exchange);
  /// The answer has left, or the connection ended before it had.
  void end(std::uint64_t id, Exchange& exchange, Sent sent, Nanoseconds now);

  std::vector<std::uint64_t> advance(Nanoseconds now) { return engine_.advance(now); }
  std::optional<Nanoseconds> next_event() const { return engine_.next_event(); }
  /// Between two events of a stream.
  Nanoseconds stream_pause() const { return options_.stream_pause; }

 private:
  bool infer(std::uint64_t id, Endpoint endpoint, const HttpRequest& request, Exchange& exchange,
             Now now);
  const FaultSpec* register_attempt(const HttpRequest& request, Exchange& exchange,
                                    Nanoseconds now);
  Job price(const HttpRequest& request, const Latency& latency, Exchange& exchange);
  void render_inference(Endpoint endpoint, const FaultSpec* fault, bool keep_alive,
                        Exchange& exchange, Now now);
  void render_refusal(int status, std::string_view message, std::string_view code,
                      const FaultSpec* fault, bool keep_alive, Exchange& exchange, Now now);
  void control(const HttpRequest& request, Exchange& exchange, Now now);
  std::string post_control(const HttpRequest& request, int& status);
  Status set_faults(std::string_view body);
  Status set_latency(std::string_view body);
  void reset_counters();
  Gauges gauges() const;
  std::uint64_t key_of(std::uint64_t body_hash) const;

  const Options& options_;
  AttemptLog& log_;
  FaultPlan faults_;
  EngineModel engine_;
  PrefixCache prefix_cache_;
  Latency latency_;
  Metrics metrics_;
  RequestFacts facts_;
  std::string body_;
  boost::unordered_flat_map<std::uint64_t, std::uint32_t> attempts_by_body_;
  std::uint64_t tokens_running_ = 0;
};

}  // namespace offpeak::sim
