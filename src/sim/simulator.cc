#include "sim/simulator.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/hash.h"
#include "sim/mix.h"

namespace offpeak::sim {
namespace {

constexpr std::uint64_t kKvTokensPerSlot = 2048;

bool is_refusal(FaultKind kind) {
  return kind == FaultKind::status || kind == FaultKind::redirect;
}

}  // namespace

Simulator::Simulator(const Options& options, AttemptLog& log)
    : options_(options),
      log_(log),
      faults_(options.seed),
      engine_(options.engine),
      prefix_cache_(options.prefix_cache_blocks),
      latency_(options.latency) {
  faults_.replace(options.faults).value();
}

std::uint64_t Simulator::key_of(std::uint64_t body_hash) const {
  return mix(body_hash ^ mix(options_.seed));
}

bool Simulator::begin(std::uint64_t id, const HttpRequest& request, Exchange& exchange, Now now) {
  exchange.answer.bytes.clear();
  exchange.answer.ending = Ending::keep;
  exchange.answer.drip = false;
  exchange.answer.is_whole = true;
  exchange.answer.status = 0;
  exchange.answer.pauses.clear();
  exchange.in_engine = exchange.in_flight = exchange.hit_token_limit = false;
  const auto endpoint = request.method == "POST" ? endpoint_of(request.path) : std::nullopt;
  exchange.is_inference = endpoint.has_value();
  if (endpoint) return infer(id, *endpoint, request, exchange, now);
  control(request, exchange, now);
  return true;
}

const FaultSpec* Simulator::register_attempt(const HttpRequest& request, Exchange& exchange,
                                             Nanoseconds now) {
  auto& attempt = exchange.attempt;
  attempt.received_ns = now;
  attempt.sequence = ++metrics_.attempts;
  attempt.method = request.method;
  attempt.path = request.path;
  attempt.body_hash = hash64(request.body, 0);
  attempt.body_bytes = request.body.size();
  attempt.idempotency_key = request.idempotency_key;
  attempt.attempt_header = request.attempt;
  attempt.usage = {};
  attempt.complete = false;
  attempt.client_gone = false;
  exchange.in_flight = true;
  metrics_.max_in_flight = std::max(metrics_.max_in_flight, ++metrics_.in_flight);
  attempt.running = metrics_.in_flight;
  const auto number = ++attempts_by_body_[attempt.body_hash];
  if (number == 2) ++metrics_.bodies_repeated;
  const auto* fault = faults_.choose(attempt.body_hash, number);
  attempt.fault = fault != nullptr ? std::string_view(fault->name) : std::string_view();
  return fault;
}

bool Simulator::infer(std::uint64_t id, Endpoint endpoint, const HttpRequest& request,
                      Exchange& exchange, Now now) {
  const auto* fault = register_attempt(request, exchange, now.steady);
  const bool keep = request.keep_alive;
  if (fault != nullptr && is_refusal(fault->kind)) {
    const int status = fault->kind == FaultKind::status ? static_cast<int>(fault->argument) : 307;
    render_refusal(status, "simulated fault", "simulated", fault, keep, exchange, now);
    return true;
  }
  if (request.content_type.starts_with("multipart/form-data")) {
    read_form_facts(request.body, facts_);
  } else {
    read_request_facts(request.body, facts_);
  }
  if (facts_.model.empty() && may_omit_model(endpoint)) facts_.model = options_.models.front();
  if (!facts_.valid) {
    render_refusal(400, "the body is not a JSON object", "invalid_json", nullptr, keep, exchange,
                   now);
    return true;
  }
  if (std::ranges::find(options_.models, facts_.model) == options_.models.end()) {
    render_refusal(404, fmt::format("The model `{}` does not exist.", facts_.model),
                   "model_not_found", nullptr, keep, exchange, now);
    return true;
  }
  auto& attempt = exchange.attempt;
  attempt.usage = usage_of(endpoint, facts_, request.body.size(), key_of(attempt.body_hash));
  auto job = price(request, latency_, exchange);
  job.id = id;
  render_inference(endpoint, fault, keep, exchange, now);
  if (engine_.is_instant(job) || (fault != nullptr && fault->kind == FaultKind::silence)) {
    return true;
  }
  exchange.in_engine = true;
  tokens_running_ += attempt.usage.prompt_tokens + attempt.usage.completion_tokens;
  engine_.arrive(job, now.steady);
  return false;
}

Job Simulator::price(const HttpRequest& request, const Latency& latency, Exchange& exchange) {
  auto& usage = exchange.attempt.usage;
  const auto cached = prefix_cache_.lookup(request.body.substr(facts_.prompt_at)) / 4;
  usage.cached_tokens = std::min(static_cast<std::uint32_t>(cached), usage.prompt_tokens);
  metrics_.prefix_queries += usage.prompt_tokens;
  metrics_.prefix_hits += usage.cached_tokens;
  exchange.hit_token_limit = facts_.max_tokens && *facts_.max_tokens <= usage.completion_tokens;
  return {.latency = sample_latency(latency, key_of(exchange.attempt.body_hash) + 1),
          .prefill_tokens = usage.prompt_tokens - usage.cached_tokens,
          .decode_tokens = usage.completion_tokens};
}

void Simulator::render_inference(Endpoint endpoint, const FaultSpec* fault, bool keep_alive,
                                 Exchange& exchange, Now now) {
  const auto& attempt = exchange.attempt;
  const auto key = key_of(attempt.body_hash);
  const bool bad = fault != nullptr && fault->kind == FaultKind::bad_usage;
  const AnswerContext context{.endpoint = endpoint,
                              .facts = facts_,
                              .model = facts_.model,
                              .usage = attempt.usage,
                              .usage_json = bad ? bad_usage(key) : std::string_view(),
                              .body_hash = attempt.body_hash,
                              .sequence = attempt.sequence,
                              .seed = options_.seed,
                              .created = now.unix_seconds,
                              .dimensions = options_.embedding_dimensions};
  Reply reply{.sequence = attempt.sequence,
              .keep_alive = keep_alive,
              .is_stream = facts_.stream && can_stream(endpoint)};
  body_.clear();
  if (reply.is_stream) {
    reply.content_type = "text/event-stream; charset=utf-8";
    render_event_stream(context, body_);
  } else {
    render_answer(context, body_);
    if (fault != nullptr) apply_body_fault(*fault, body_, reply.content_type);
  }
  reply.body = body_;
  render_wire(reply, fault, now.unix_seconds, options_.retry_hints, exchange.answer);
}

void Simulator::render_refusal(int status, std::string_view message, std::string_view code,
                               const FaultSpec* fault, bool keep_alive, Exchange& exchange,
                               Now now) {
  body_.clear();
  render_error(status, message, code, body_);
  const Reply reply{.status = status,
                    .body = body_,
                    .sequence = exchange.attempt.sequence,
                    .keep_alive = keep_alive};
  render_wire(reply, fault, now.unix_seconds, options_.retry_hints, exchange.answer);
}

void Simulator::leave_engine(Exchange& exchange) {
  if (!exchange.in_engine) return;
  exchange.in_engine = false;
  tokens_running_ -=
      exchange.attempt.usage.prompt_tokens + exchange.attempt.usage.completion_tokens;
}

void Simulator::end(std::uint64_t id, Exchange& exchange, Sent sent, Nanoseconds now) {
  if (!exchange.in_flight) return;
  auto& attempt = exchange.attempt;
  exchange.in_flight = false;
  --metrics_.in_flight;
  if (exchange.in_engine) {
    leave_engine(exchange);
    engine_.cancel(id, now);
  }
  attempt.status = sent == Sent::nothing ? 0 : exchange.answer.status;
  attempt.complete = sent == Sent::all && exchange.answer.is_whole;
  attempt.done_ns = now;
  metrics_.answers += attempt.complete ? 1 : 0;
  ++metrics_.by_status[attempt.status];
  if (attempt.status == 200) {
    metrics_.prompt_tokens += attempt.usage.prompt_tokens;
    metrics_.generation_tokens += attempt.usage.completion_tokens;
    ++(exchange.hit_token_limit ? metrics_.finished_length : metrics_.finished_stop);
  } else if (attempt.status == 0) {
    ++metrics_.finished_abort;
  }
  log_.add(attempt);
}

Gauges Simulator::gauges() const {
  const auto slots = std::max<std::uint64_t>(options_.engine.slots, 1);
  const auto capacity = options_.kv_cache_tokens > 0 ? options_.kv_cache_tokens
                        : options_.engine.slots > 0  ? slots * kKvTokensPerSlot
                                                     : 0;
  const auto in_hand = engine_.running() + engine_.waiting();
  double used = 0;
  if (capacity > 0 && in_hand > 0) {
    const double share = static_cast<double>(engine_.running()) / static_cast<double>(in_hand);
    used = static_cast<double>(tokens_running_) * share / static_cast<double>(capacity);
  }
  return {.running = engine_.running(),
          .waiting = engine_.waiting(),
          .kv_cache_usage = std::min(used, 1.0)};
}

void Simulator::reset_counters() {
  const auto in_flight = metrics_.in_flight;
  metrics_ = {};
  metrics_.in_flight = metrics_.max_in_flight = in_flight;
  attempts_by_body_.clear();
}

}  // namespace offpeak::sim
