// offpeak-loadgen: posts the bodies of a batch input file as fast as a bare epoll loop can, and
// prints one JSON object. It is the limit that the benchmarks compare offpeak with.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <exception>
#include <stdexcept>
#include <string>

#include "bench/loadgen/load.h"

namespace {

offpeak::bench::Target parse_url(std::string_view url) {
  constexpr std::string_view kScheme = "http://";
  offpeak::bench::Target target;
  const auto bad = std::runtime_error(fmt::format("--url {}: want http://IPV4:PORT/PATH", url));
  if (!url.starts_with(kScheme)) throw bad;
  url.remove_prefix(kScheme.size());
  const auto slash = std::min(url.find('/'), url.size());
  const auto colon = url.substr(0, slash).find(':');
  if (colon == std::string_view::npos) throw bad;
  const auto [end, error] =
      std::from_chars(url.data() + colon + 1, url.data() + slash, target.port);
  if (error != std::errc() || end != url.data() + slash) throw bad;
  target.host = url.substr(0, colon);
  target.path = slash < url.size() ? url.substr(slash) : "/";
  return target;
}

void print(const offpeak::bench::LoadResult& result, std::size_t connections) {
  const auto requests = static_cast<double>(result.requests);
  fmt::print(
      "{{\"requests\":{},\"not_200\":{},\"connections\":{},\"seconds\":{:.4f},"
      "\"requests_per_s\":{:.1f},\"cpu_us_per_request\":{:.3f}}}\n",
      result.requests, result.not_200, connections, result.seconds, requests / result.seconds,
      result.cpu_seconds * 1e6 / requests);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("offpeak-loadgen: the reference limit of the benchmarks");
  std::string url;
  std::string body_file;
  std::size_t connections = 64;
  std::size_t requests = 0;
  app.add_option("--url", url, "http://IPV4:PORT/PATH")->required();
  app.add_option("--body-file", body_file, "Batch input file (JSONL)")->required();
  app.add_option("--connections", connections)->capture_default_str()->check(CLI::PositiveNumber);
  app.add_option("--requests", requests,
                 "0: one for each row; more than the rows: again from the top");
  CLI11_PARSE(app, argc, argv);
  try {
    const offpeak::bench::BatchRows rows(body_file);
    const auto target = parse_url(url);
    const auto result =
        offpeak::bench::run_load(target, rows, connections, requests > 0 ? requests : rows.size());
    print(result, connections);
    return result.not_200 == 0 ? 0 : 3;
  } catch (const std::exception& error) {
    fmt::print(stderr, "offpeak-loadgen: {}\n", error.what());
    return 1;
  }
}
