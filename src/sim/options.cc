#include "sim/options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <cmath>
#include <numbers>

#include "sim/mix.h"

namespace offpeak::sim {
namespace {

constexpr double kNanosecondsPerMs = 1e6;

struct RawOptions {
  std::string listen = "127.0.0.1:0";
  std::string latency;
  double latency_ms = 0;
  double stream_pause_ms = 0;
  std::vector<std::string> faults;
  std::string retry_after;
  std::string retry_after_ms;
};

std::optional<double> non_negative(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !(value >= 0)) {
    return std::nullopt;
  }
  return value;
}

Status parse_listen(std::string_view text, Options& options) {
  const auto colon = text.rfind(':');
  const auto digits = colon == std::string_view::npos ? "" : text.substr(colon + 1);
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), options.port);
  if (error != std::errc() || end != digits.data() + digits.size()) {
    return fail(ErrorKind::invalid_request, fmt::format("--listen {}: want HOST:PORT", text));
  }
  options.host = text.substr(0, colon);
  return {};
}

Status convert(const RawOptions& raw, Options& options) {
  if (auto listen = parse_listen(raw.listen, options); !listen) return listen;
  options.latency.median_ms = raw.latency_ms;
  options.stream_pause = static_cast<Nanoseconds>(raw.stream_pause_ms * kNanosecondsPerMs);
  if (!raw.latency.empty()) {
    const auto latency = parse_latency(raw.latency);
    if (!latency) return std::unexpected(latency.error());
    options.latency = *latency;
  }
  for (const auto& text : raw.faults) {
    auto fault = parse_fault(text);
    if (!fault) return std::unexpected(fault.error());
    options.faults.push_back(std::move(*fault));
  }
  if (!raw.retry_after.empty()) options.retry_hints.retry_after = raw.retry_after;
  if (!raw.retry_after_ms.empty()) options.retry_hints.retry_after_ms = raw.retry_after_ms;
  if (options.models.empty()) options.models = {"sim-model"};
  return FaultPlan(0).replace(options.faults);
}

void declare_engine(CLI::App& app, Options& options) {
  auto& engine = options.engine;
  app.add_option("--slots", engine.slots, "Requests that run at once; more wait. 0: no limit");
  app.add_option("--prefill-tokens-per-s", engine.prefill_tokens_per_s, "0: free");
  app.add_option("--decode-tokens-per-s-total", engine.decode_tokens_per_s_total,
                 "Shared by the sequences in decode. 0: no limit");
  app.add_option("--decode-tokens-per-s-per-sequence", engine.decode_tokens_per_s_per_sequence,
                 "0: no limit");
  app.add_option("--kv-cache-tokens", options.kv_cache_tokens,
                 "For vllm:kv_cache_usage_perc. 0: 2048 a slot");
  app.add_option("--prefix-cache-blocks", options.prefix_cache_blocks,
                 "Blocks of 64 prompt bytes that are remembered; fills cached_tokens. 0: none");
}

void declare_faults(CLI::App& app, RawOptions& raw, Options& options) {
  app.add_option("--fault", raw.faults,
                 "NAME:RATE[:TIMES], repeatable. RATE: share of request bodies; TIMES: only the "
                 "first TIMES attempts of a body. Names: " +
                     fault_names())
      ->expected(1)
      ->take_all();
  app.add_option("--retry-after", raw.retry_after,
                 "Retry-After of status faults, verbatim; date:SECONDS makes an HTTP date");
  app.add_option("--retry-after-ms", raw.retry_after_ms, "retry-after-ms of status faults");
  app.add_flag("--fault-control", options.fault_control,
               "Allow POST /sim/faults, /sim/latency and /sim/reset");
}

}  // namespace

Result<Latency> parse_latency(std::string_view text) {
  constexpr std::string_view kLogNormal = "lognormal:";
  if (!text.starts_with(kLogNormal)) {
    if (const auto fixed = non_negative(text)) return Latency{.median_ms = *fixed};
  } else {
    const auto rest = text.substr(kLogNormal.size());
    const auto colon = std::min(rest.find(':'), rest.size());
    const auto median = non_negative(rest.substr(0, colon));
    const auto sigma = non_negative(colon < rest.size() ? rest.substr(colon + 1) : "");
    if (median && sigma) return Latency{.median_ms = *median, .sigma = *sigma};
  }
  return fail(ErrorKind::invalid_request,
              fmt::format("latency '{}': want MILLISECONDS or lognormal:MEDIAN_MS:SIGMA", text));
}

Nanoseconds sample_latency(const Latency& latency, std::uint64_t key) {
  double ms = latency.median_ms;
  if (latency.sigma > 0) {
    const double radius = std::sqrt(-2 * std::log(1 - mix_unit(key)));
    const double normal = radius * std::cos(2 * std::numbers::pi * mix_unit(~key));
    ms *= std::exp(latency.sigma * normal);
  }
  return static_cast<Nanoseconds>(ms * kNanosecondsPerMs);
}

std::optional<int> parse_options(int argc, char** argv, Options& options) {
  CLI::App app(
      "offpeak-sim: a simulated OpenAI-compatible inference server for tests and benchmarks");
  RawOptions raw;
  app.add_option("--listen", raw.listen, "HOST:PORT, an IPv4 address; port 0 picks one")
      ->capture_default_str();
  app.add_option("--model", options.models, "Model served, repeatable (default sim-model)")
      ->expected(1)
      ->take_all();
  app.add_option("--seed", options.seed)->capture_default_str();
  app.add_option("--latency-ms", raw.latency_ms, "Fixed latency");
  app.add_option("--latency", raw.latency, "MILLISECONDS or lognormal:MEDIAN_MS:SIGMA");
  app.add_option("--stream-pause-ms", raw.stream_pause_ms, "Between two events of a stream");
  app.add_option("--embedding-dimensions", options.embedding_dimensions)->capture_default_str();
  app.add_option("--log", options.log_path, "Attempt log, appended to");
  declare_engine(app, options);
  declare_faults(app, raw, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (const auto converted = convert(raw, options); !converted) {
    fmt::print(stderr, "offpeak-sim: {}\n", converted.error().message);
    return 2;
  }
  return std::nullopt;
}

}  // namespace offpeak::sim
