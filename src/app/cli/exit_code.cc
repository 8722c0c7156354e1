#include "app/cli/exit_code.h"

namespace offpeak::cli {

std::string CliError::text() const {
  std::string line = "offpeak: " + what;
  // The API's messages are sentences.
  if (line.ends_with('.') && !(where.empty() && todo.empty())) line.pop_back();
  if (!where.empty()) line += "; " + where;
  if (!todo.empty()) line += "; " + todo;
  return line;
}

ExitCode exit_of_status(long http_status) {
  switch (http_status) {
    case 401:
    case 403:
      return ExitCode::auth;
    case 404:
      return ExitCode::not_found;
    default:
      return ExitCode::error;
  }
}

ExitCode exit_of_batch(std::string_view status, std::uint64_t rows_failed) {
  if (status != "completed") return ExitCode::batch_failed;
  return rows_failed == 0 ? ExitCode::ok : ExitCode::rows_failed;
}

}  // namespace offpeak::cli
