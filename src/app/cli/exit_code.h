// The exit statuses of every command, and the error type of the client commands. Scripts rely on
// the numbers: they never change (docs: `offpeak --help`).
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace offpeak::cli {

enum class ExitCode : int {
  ok = 0,
  error = 1,
  usage = 2,
  rows_failed = 3,  // the batch completed, but not every row did
  auth = 4,
  not_found = 5,
  timed_out = 6,  // --timeout passed while waiting
  unreachable = 7,
  batch_failed = 8,   // or expired, or cancelled
  interrupted = 130,  // Ctrl-C
};

struct CliError {
  ExitCode exit = ExitCode::error;
  std::string what;
  std::string where = {};
  std::string todo = {};

  /// "offpeak: what; where; what to do", leaving out what is empty.
  std::string text() const;
};

template <class T>
using CliResult = std::expected<T, CliError>;

/// For an HTTP answer that is no success.
ExitCode exit_of_status(long http_status);

/// For a batch in a terminal status.
ExitCode exit_of_batch(std::string_view status, std::uint64_t rows_failed);

inline constexpr std::string_view kExitCodeHelp =
    "Exit status: 0 ok, every row completed; 1 error; 2 usage; 3 finished but some rows failed;\n"
    "  4 authentication; 5 not found; 6 wait timed out; 7 server unreachable;\n"
    "  8 batch failed, expired or cancelled; 130 interrupted.";

}  // namespace offpeak::cli
