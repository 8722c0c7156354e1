// A server of our own for the duration of one command: `offpeak serve` as a child process on a free
// port. It is out of reach of the terminal's Ctrl-C and ends with us, however we end.
#pragma once

#include <sys/types.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

#include "app/cli/exit_code.h"

namespace offpeak::cli {

class LocalServer {
 public:
  /// Returns when the server said it is ready.
  static CliResult<std::unique_ptr<LocalServer>> start(const std::filesystem::path& data_dir);

  /// Stops it by SIGTERM and waits for its drain.
  ~LocalServer();
  LocalServer(const LocalServer&) = delete;
  LocalServer& operator=(const LocalServer&) = delete;

  const std::string& url() const { return url_; }

 private:
  using LogFile = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

  LocalServer(std::string url, LogFile log) : url_(std::move(url)), log_(std::move(log)) {}
  CliResult<void> launch(const std::filesystem::path& data_dir, int port);
  CliResult<void> wait_until_ready();
  std::string log_text() const;

  std::string url_;
  LogFile log_;  // what the server prints
  pid_t pid_ = -1;
};

}  // namespace offpeak::cli
