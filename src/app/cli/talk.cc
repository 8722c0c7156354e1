#include "app/cli/talk.h"

#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "app/cli/text.h"
#include "app/cli/watch.h"

namespace offpeak::cli {
namespace {

constexpr std::size_t kProblemsShown = 20;

std::string models_of(const FileCheck& check) {
  if (check.models.empty()) return "no model";
  if (check.models.size() == 1) return fmt::format("model {}", check.models.front());
  return fmt::format("{} models", check.models.size());
}

}  // namespace

void say_check(const FileCheck& check, const std::filesystem::path& file, Terminal& terminal) {
  terminal.say(
      check.ok() ? Mark::done : Mark::fail,
      fmt::format("checked {}: {} rows, {}, {}, {} {}", file.string(), group_digits(check.rows),
                  human_bytes(check.bytes), models_of(check), group_digits(check.errors_total),
                  check.errors_total == 1 ? "problem" : "problems"));
  for (std::size_t i = 0; i < check.errors.size() && i < kProblemsShown; ++i) {
    const auto& error = check.errors[i];
    const auto place =
        error.line == 0 ? file.string() : fmt::format("{}:{}", file.string(), error.line);
    terminal.say(Mark::note, fmt::format("  {}: {} ({})", place, error.message, error.code));
  }
  if (check.errors_total > kProblemsShown) {
    terminal.say(Mark::note,
                 fmt::format("  and {} more: offpeak file check {} --json",
                             group_digits(check.errors_total - kProblemsShown), file.string()));
  }
}

CliResult<UploadedFile> upload_file(HttpSession& http, const std::filesystem::path& file,
                                    Terminal& terminal, const Clock& clock) {
  const auto start = clock.steady_now();
  RateMeter meter;
  const TransferProgress progress = [&](std::uint64_t done, std::uint64_t total) {
    const auto now = clock.steady_now();
    meter.add(now, done);
    terminal.show(BytesProgress{.verb = "upload",
                                .total = total,
                                .done = done,
                                .elapsed = std::chrono::floor<std::chrono::seconds>(now - start),
                                .rate = meter.rate()});
  };
  auto json = http.upload(file, "batch", progress);
  if (!json) return std::unexpected(std::move(json.error()));
  auto view = parse_file(*json);
  if (!view) return std::unexpected(std::move(view.error()));
  terminal.say(Mark::done, fmt::format("uploaded {} as {}", human_bytes(view->bytes), view->id));
  return UploadedFile{std::move(*view), std::move(*json)};
}

int delete_object(const CommonOptions& options, const std::string& path, const std::string& id) {
  const auto connection = connect(options);
  if (!connection) return report(connection.error());
  const auto json = connection->http->del(path);
  if (!json) return report(json.error());
  if (options.json) {
    print_json(*json);
  } else {
    fmt::print(stderr, "deleted {}\n", id);
  }
  return static_cast<int>(ExitCode::ok);
}

}  // namespace offpeak::cli
