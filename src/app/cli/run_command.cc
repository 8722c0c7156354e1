#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "app/cli/api_objects.h"
#include "app/cli/commands.h"
#include "app/cli/download.h"
#include "app/cli/file_check.h"
#include "app/cli/interrupt.h"
#include "app/cli/talk.h"
#include "app/cli/text.h"
#include "app/cli/watch.h"

namespace offpeak::cli {
namespace {

class Run {
 public:
  explicit Run(const RunOptions& options)
      : options_(options), terminal_(Terminal::on_stderr(clock_)), started_(clock_.steady_now()) {}

  CliResult<int> execute() {
    for (const auto& path : {options_.output, options_.errors}) {
      if (path.empty()) continue;
      if (auto writable = check_writable(path); !writable) {
        return std::unexpected(std::move(writable.error()));
      }
    }
    // The limits are the server's own business.
    const auto check = check_file(options_.input, limits_of(LimitProfile::unlimited));
    if (!check) return std::unexpected(check.error());
    say_check(*check, options_.input, terminal_);
    if (!check->ok()) return static_cast<int>(ExitCode::error);

    auto connection = connect_or_start(options_.common);
    if (!connection) return std::unexpected(std::move(connection.error()));
    own_server_ = connection->server != nullptr;
    if (own_server_) {
      terminal_.say(Mark::done,
                    fmt::format("started a server for this run at {}", connection->server->url()));
    }
    auto& http = *connection->http;
    const auto batch_id = create(http, check->endpoint);
    if (!batch_id) return std::unexpected(batch_id.error());
    return follow(http, *batch_id);
  }

 private:
  CliResult<std::string> create(HttpSession& http, const std::string& endpoint) {
    const auto file = upload_file(http, options_.input, terminal_, clock_);
    if (!file) return std::unexpected(file.error());
    const auto json = http.post("/batches", to_json(NewBatch{.input_file_id = file->view.id,
                                                             .endpoint = endpoint,
                                                             .completion_window = options_.window,
                                                             .metadata = {}}));
    if (!json) return std::unexpected(json.error());
    const auto batch = parse_batch(*json);
    if (!batch) return std::unexpected(batch.error());
    terminal_.say(Mark::done, fmt::format("created {} (Ctrl-C leaves it running)", batch->id));
    return batch->id;
  }

  CliResult<int> follow(HttpSession& http, const std::string& id) {
    const ResultPaths paths{.output = options_.output, .errors = options_.errors};
    auto watched = watch_batch(http, id, {.poll = options_.poll}, terminal_, clock_);
    if (!watched) {
      if (watched.error().exit != ExitCode::interrupted) return std::unexpected(watched.error());
      say_how_to_go_on(id);
      return static_cast<int>(ExitCode::interrupted);
    }
    if (auto fetched = fetch_results(http, watched->batch, paths, terminal_); !fetched) {
      say_how_to_go_on(id);
      return std::unexpected(std::move(fetched.error()));
    }
    const auto elapsed =
        std::chrono::floor<std::chrono::milliseconds>(clock_.steady_now() - started_);
    say_summary(watched->batch, paths, elapsed, terminal_);
    if (options_.common.json) print_json(watched->json);
    return static_cast<int>(exit_of_batch(watched->batch.status, watched->batch.failed));
  }

  void say_how_to_go_on(const std::string& id) {
    std::vector<std::string> words = {"offpeak", "batch", "wait", id, "-o", options_.output};
    const auto add = [&](const char* flag, const std::string& value) {
      if (!value.empty()) words.insert(words.end(), {flag, value});
    };
    add("--errors", options_.errors);
    add("--base-url", options_.common.base_url);
    add("--data-dir", options_.common.data_dir);
    if (own_server_) {
      terminal_.say(Mark::note, "The batch is kept. To go on, start a server and wait for it:");
      std::vector<std::string> serve = {"offpeak", "serve"};
      if (!options_.common.data_dir.empty()) {
        serve.insert(serve.end(), {"--data-dir", options_.common.data_dir});
      }
      terminal_.say(Mark::note, "  " + shell_command(serve));
    } else {
      terminal_.say(Mark::note, "The batch goes on at the server. To wait for it again:");
    }
    terminal_.say(Mark::note, "  " + shell_command(words));
  }

  const RunOptions& options_;
  SystemClock clock_;
  Terminal terminal_;
  SteadyTime started_;
  bool own_server_ = false;
};

}  // namespace

int run_batch_file(const RunOptions& options) {
  const InterruptGuard guard;
  Run run(options);
  auto result = run.execute();
  return result ? *result : report(result.error());
}

}  // namespace offpeak::cli
