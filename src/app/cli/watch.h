// Following a batch to its end, fetching what it left, and saying how it went: the common half of
// `offpeak run` and `offpeak batch wait`.
#pragma once

#include <chrono>
#include <string>

#include "app/cli/api_objects.h"
#include "app/cli/exit_code.h"
#include "app/cli/http_session.h"
#include "app/cli/terminal.h"
#include "base/clock.h"

namespace offpeak::cli {

struct WatchOptions {
  std::chrono::milliseconds poll{500};
  std::chrono::milliseconds timeout{0};  // 0: none
};

struct Watched {
  BatchView batch;
  std::string json;  // the API's object as received
};

/// Polls until the batch has ended. Short absences of the server (a restart) are waited out.
/// Errors: ExitCode::timed_out, interrupted, and those of the API.
CliResult<Watched> watch_batch(HttpSession& http, const std::string& id,
                               const WatchOptions& options, Terminal& terminal, const Clock& clock);

/// Where the rows of an ended batch go; an empty path is not written. A path is written, empty,
/// even where the batch left no such file, so that no older result stays there.
struct ResultPaths {
  std::string output;
  std::string errors;
};

CliResult<void> fetch_results(HttpSession& http, const BatchView& batch, const ResultPaths& paths,
                              Terminal& terminal);

/// Counts, tokens, and the first errors of a failed batch.
void say_summary(const BatchView& batch, const ResultPaths& paths,
                 std::chrono::milliseconds elapsed, Terminal& terminal);

/// Prints the error to standard error; its exit status.
int report(const CliError& error);

/// Writes an API object alone to standard output.
void print_json(const std::string& json);

}  // namespace offpeak::cli
