#include <fmt/format.h>

#include "app/cli/api_objects.h"
#include "app/cli/commands.h"
#include "app/cli/interrupt.h"
#include "app/cli/text.h"
#include "app/cli/watch.h"

namespace offpeak::cli {
namespace {

std::string rows_text(const BatchView& batch) {
  return fmt::format("{} of {} completed, {} failed", group_digits(batch.completed),
                     group_digits(batch.total), group_digits(batch.failed));
}

void print_batch(const BatchView& batch) {
  std::vector<std::vector<std::string>> rows = {{"batch", batch.id},
                                                {"status", batch.status},
                                                {"endpoint", batch.endpoint},
                                                {"rows", rows_text(batch)},
                                                {"created", utc_time(batch.created_at)}};
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) rows.push_back({name, value});
  };
  add("model", batch.model);
  add("ended", batch.ended_at ? utc_time(*batch.ended_at) : "");
  add("expires", !batch.ended_at && batch.expires_at > 0 ? utc_time(batch.expires_at) : "");
  if (batch.input_tokens + batch.output_tokens > 0) {
    add("tokens",
        fmt::format("{} input ({} cached), {} output", group_digits(batch.input_tokens),
                    group_digits(batch.cached_tokens), group_digits(batch.output_tokens)));
  }
  add("input", batch.input_file_id);
  add("output", batch.output_file_id);
  add("errors", batch.error_file_id);
  for (const auto& [key, value] : batch.metadata) add("metadata", key + "=" + value);
  for (const auto& error : batch.errors) {
    add("error",
        error.line ? fmt::format("line {}: {}", *error.line, error.message) : error.message);
  }
  fmt::print("{}", table(rows));
}

/// Prints a batch that was received as `json`.
int show(const CommonOptions& common, const CliResult<std::string>& json) {
  if (!json) return report(json.error());
  if (common.json) {
    print_json(*json);
    return static_cast<int>(ExitCode::ok);
  }
  const auto batch = parse_batch(*json);
  if (!batch) return report(batch.error());
  print_batch(*batch);
  return static_cast<int>(ExitCode::ok);
}

}  // namespace

int batch_create(const BatchCreateOptions& options) {
  const auto connection = connect(options.common);
  if (!connection) return report(connection.error());
  return show(options.common, connection->http->post(
                                  "/batches", to_json(NewBatch{.input_file_id = options.file_id,
                                                               .endpoint = options.endpoint,
                                                               .completion_window = options.window,
                                                               .metadata = options.metadata})));
}

int batch_get(const BatchOptions& options) {
  const auto connection = connect(options.common);
  if (!connection) return report(connection.error());
  return show(options.common, connection->http->get("/batches/" + path_segment(options.id)));
}

int batch_cancel(const BatchOptions& options) {
  const auto connection = connect(options.common);
  if (!connection) return report(connection.error());
  return show(options.common,
              connection->http->post("/batches/" + path_segment(options.id) + "/cancel", ""));
}

int batch_wait(const BatchWaitOptions& options) {
  const InterruptGuard guard;
  const auto connection = connect(options.common);
  if (!connection) return report(connection.error());
  auto& http = *connection->http;
  const SystemClock clock;
  auto terminal = Terminal::on_stderr(clock);
  const auto watched =
      watch_batch(http, path_segment(options.id),
                  {.poll = options.poll, .timeout = options.timeout}, terminal, clock);
  if (!watched) return report(watched.error());
  const auto& batch = watched->batch;
  const ResultPaths paths{.output = options.output, .errors = options.errors};
  if (const auto fetched = fetch_results(http, batch, paths, terminal); !fetched) {
    return report(fetched.error());
  }
  const auto took =
      std::chrono::seconds(batch.ended_at.value_or(batch.created_at) - batch.created_at);
  say_summary(batch, paths, took, terminal);
  if (options.common.json) print_json(watched->json);
  return static_cast<int>(exit_of_batch(batch.status, batch.failed));
}

int batch_list(const ListOptions& options) {
  const auto connection = connect(options.common);
  if (!connection) return report(connection.error());
  const auto json = connection->http->get("/batches" + list_query(options.limit, options.after));
  if (!json) return report(json.error());
  if (options.common.json) {
    print_json(*json);
    return static_cast<int>(ExitCode::ok);
  }
  const auto page = parse_batch_page(*json);
  if (!page) return report(page.error());
  std::vector<std::vector<std::string>> rows = {
      {"BATCH", "STATUS", "DONE", "FAILED", "TOTAL", "MODEL", "CREATED"}};
  for (const auto& batch : page->data) {
    rows.push_back({batch.id, batch.status, group_digits(batch.completed),
                    group_digits(batch.failed), group_digits(batch.total),
                    batch.model.empty() ? "-" : batch.model, utc_time(batch.created_at)});
  }
  fmt::print("{}", table(rows));
  if (page->has_more && !page->data.empty()) {
    fmt::print(stderr, "more: offpeak batch list --after {}\n", page->data.back().id);
  }
  return static_cast<int>(ExitCode::ok);
}

}  // namespace offpeak::cli
