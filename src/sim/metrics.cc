#include "sim/metrics.h"

#include <fmt/format.h>

#include <iterator>

#include "sim/json_text.h"

namespace offpeak::sim {
namespace {

class Page {
 public:
  explicit Page(std::string_view model) : label_("model_name=" + json_string(model)) {}

  template <class T>
  void family(std::string_view name, std::string_view type, T value) {
    declare(name, type);
    sample(name, "", value);
  }
  void declare(std::string_view name, std::string_view type) {
    fmt::format_to(std::back_inserter(text_), "# HELP {0} Simulated.\n# TYPE {0} {1}\n", name,
                   type);
  }
  template <class T>
  void sample(std::string_view name, std::string_view labels, T value) {
    fmt::format_to(std::back_inserter(text_), "{}{{{}{}}} {}\n", name, labels, label_, value);
  }
  std::string take() { return std::move(text_); }

 private:
  std::string label_;
  std::string text_;
};

}  // namespace

std::string render_prometheus(const Metrics& metrics, const Gauges& gauges,
                              std::string_view model) {
  Page page(model);
  page.family("vllm:num_requests_running", "gauge", gauges.running);
  page.family("vllm:num_requests_waiting", "gauge", gauges.waiting);
  page.family("vllm:kv_cache_usage_perc", "gauge", gauges.kv_cache_usage);
  page.family("vllm:prompt_tokens_total", "counter", metrics.prompt_tokens);
  page.family("vllm:generation_tokens_total", "counter", metrics.generation_tokens);
  page.family("vllm:prefix_cache_queries_total", "counter", metrics.prefix_queries);
  page.family("vllm:prefix_cache_hits_total", "counter", metrics.prefix_hits);
  constexpr std::string_view kSuccess = "vllm:request_success_total";
  page.declare(kSuccess, "counter");
  page.sample(kSuccess, "finished_reason=\"stop\",", metrics.finished_stop);
  page.sample(kSuccess, "finished_reason=\"length\",", metrics.finished_length);
  page.sample(kSuccess, "finished_reason=\"abort\",", metrics.finished_abort);
  return page.take();
}

std::string render_stats(const Metrics& metrics, const Gauges& gauges) {
  std::string by_status;
  for (const auto& [status, count] : metrics.by_status) {
    if (!by_status.empty()) by_status += ',';
    by_status += fmt::format("\"{}\":{}", status, count);
  }
  return fmt::format(
      R"({{"attempts":{},"answers":{},"by_status":{{{}}},"in_flight":{},"max_in_flight":{},)"
      R"("bodies_repeated":{},"running":{},"waiting":{}}})",
      metrics.attempts, metrics.answers, by_status, metrics.in_flight, metrics.max_in_flight,
      metrics.bodies_repeated, gauges.running, gauges.waiting);
}

}  // namespace offpeak::sim
