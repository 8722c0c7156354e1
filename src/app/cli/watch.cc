#include "app/cli/watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "app/cli/download.h"
#include "app/cli/interrupt.h"
#include "app/cli/text.h"

namespace offpeak::cli {
namespace {

using namespace std::chrono_literals;

// A server that restarts is back sooner.
constexpr auto kAbsenceMax = 60s;
constexpr std::size_t kErrorsShown = 20;

CliResult<Watched> get_batch(HttpSession& http, const std::string& id) {
  auto json = http.get("/batches/" + id);
  if (!json) return std::unexpected(std::move(json.error()));
  auto batch = parse_batch(*json);
  if (!batch) return std::unexpected(std::move(batch.error()));
  return Watched{std::move(*batch), std::move(*json)};
}

bool may_pass(const CliError& error) {
  return error.exit == ExitCode::unreachable;
}

void say_errors(const BatchView& batch, Terminal& terminal) {
  for (std::size_t i = 0; i < batch.errors.size() && i < kErrorsShown; ++i) {
    const auto& error = batch.errors[i];
    const auto place = error.line ? fmt::format("line {}: ", *error.line) : std::string{};
    terminal.say(Mark::note, fmt::format("  {}{} ({})", place, error.message, error.code));
  }
  if (batch.errors.size() > kErrorsShown) {
    terminal.say(Mark::note, fmt::format("  and {} more: offpeak batch get {} --json",
                                         batch.errors.size() - kErrorsShown, batch.id));
  }
}

}  // namespace

CliResult<Watched> watch_batch(HttpSession& http, const std::string& id,
                               const WatchOptions& options, Terminal& terminal,
                               const Clock& clock) {
  const auto start = clock.steady_now();
  auto seen = start;
  bool first = true;
  RateMeter meter;
  while (true) {
    auto watched = get_batch(http, id);
    const auto now = clock.steady_now();
    if (watched) {
      const auto& batch = watched->batch;
      meter.add(now, batch.completed + batch.failed);
      terminal.show(RowsProgress{.status = batch.status,
                                 .total = batch.total,
                                 .completed = batch.completed,
                                 .failed = batch.failed,
                                 .elapsed = std::chrono::floor<std::chrono::seconds>(now - start),
                                 .rate = meter.rate()});
      if (batch.ended()) {
        terminal.keep_progress();
        return watched;
      }
      seen = now;
      first = false;
    } else if (first || !may_pass(watched.error()) || now - seen > kAbsenceMax) {
      terminal.keep_progress();
      return watched;
    }
    if (interrupted()) {
      terminal.keep_progress();
      return std::unexpected(CliError{.exit = ExitCode::interrupted, .what = "interrupted"});
    }
    if (options.timeout > 0ms && now - start + options.poll > options.timeout) {
      terminal.keep_progress();
      return std::unexpected(CliError{
          .exit = ExitCode::timed_out,
          .what = fmt::format("the batch has not ended within {}", human_duration(options.timeout)),
          .where = id,
          .todo = fmt::format("it goes on: offpeak batch wait {}", id)});
    }
    pause_for(options.poll);
  }
}

CliResult<void> fetch_results(HttpSession& http, const BatchView& batch, const ResultPaths& paths,
                              Terminal& terminal) {
  const auto fetch = [&](const std::string& file_id, const std::string& path) -> CliResult<void> {
    if (path.empty()) return {};
    if (file_id.empty()) return write_empty_file(path);
    auto done = download_file(http, file_id, path);
    if (done && path != "-") terminal.say(Mark::done, fmt::format("wrote {}", path));
    return done;
  };
  if (auto done = fetch(batch.output_file_id, paths.output); !done) return done;
  return fetch(batch.error_file_id, paths.errors);
}

void say_summary(const BatchView& batch, const ResultPaths& paths,
                 std::chrono::milliseconds elapsed, Terminal& terminal) {
  auto text = fmt::format("{}: {} of {} rows completed", batch.status,
                          group_digits(batch.completed), group_digits(batch.total));
  if (batch.failed > 0) text += fmt::format(", {} failed", group_digits(batch.failed));
  if (const auto never = batch.total - std::min(batch.total, batch.completed + batch.failed);
      never > 0 && batch.status != "failed") {
    text += fmt::format(", {} never ran", group_digits(never));
  }
  if (batch.input_tokens + batch.output_tokens > 0) {
    text += fmt::format("; {} input tokens", group_digits(batch.input_tokens));
    if (batch.cached_tokens > 0) {
      text += fmt::format(" ({} cached)", group_digits(batch.cached_tokens));
    }
    text += fmt::format(", {} output tokens", group_digits(batch.output_tokens));
  }
  text += "; " + human_duration(elapsed);
  const bool good = exit_of_batch(batch.status, batch.failed) == ExitCode::ok;
  terminal.say(good ? Mark::done : Mark::fail, text);
  say_errors(batch, terminal);
  if (!batch.error_file_id.empty() && paths.errors.empty()) {
    terminal.say(Mark::note, fmt::format("  the rows without a result: offpeak file get {} -o FILE",
                                         batch.error_file_id));
  }
}

int report(const CliError& error) {
  fmt::print(stderr, "{}\n", error.text());
  return static_cast<int>(error.exit);
}

void print_json(const std::string& json) {
  std::fwrite(json.data(), 1, json.size(), stdout);
  if (!json.ends_with('\n')) std::fputc('\n', stdout);
  std::fflush(stdout);
}

}  // namespace offpeak::cli
