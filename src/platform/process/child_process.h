// Starting another executable and never losing track of it.
//
// The child leads a process group of its own (a Ctrl-C on our terminal is ours alone; a signal
// reaches its children too) and dies with us: its stdin is a pipe that nobody else holds, so it
// reads EOF when we end however we end, and the kernel sends it SIGTERM when the thread that called
// start() ends. Therefore call start() from a thread that lives as long as the child.
// Its stdout and stderr are appended to a log file.
// One owner; not thread-safe.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"

namespace offpeak {

struct ChildOptions {
  std::filesystem::path executable;                  // without a slash: looked up on the PATH
  std::vector<std::string> arguments;                // argv without argv[0]
  std::map<std::string, std::string> environment{};  // added to ours
  std::filesystem::path log_file;                    // created with mode 0600
};

struct ExitStatus {
  int code = 0;    // of exit(), if signal is 0
  int signal = 0;  // that ended it

  /// "exited with status 3" or "was ended by signal 9 (Killed)"
  std::string text() const;
};

class ChildProcess {
 public:
  /// Returns once the executable runs. Error: what could not be executed or opened, and why.
  static Result<ChildProcess> start(const ChildOptions& options);

  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&& other) noexcept;
  /// Kills what still runs.
  ~ChildProcess();

  pid_t pid() const { return pid_; }

  /// The status once the child has ended, then for ever. What it left running in its process group
  /// is killed at that moment.
  std::optional<ExitStatus> try_wait();

  void close_stdin();

  /// Closes stdin, sends SIGTERM, after `grace` SIGKILL; blocks until the child is gone.
  ExitStatus stop(std::chrono::milliseconds grace);

  /// The last lines that this child wrote, of at most 64 KiB, each with its newline.
  std::string last_lines(std::size_t count) const;

  /// Empties the log file if it is larger.
  void bound_log(std::uint64_t max_bytes) const;

 private:
  ChildProcess(pid_t pid, int stdin_fd, int log_fd, std::uint64_t log_start);

  void signal_group(int signal) const;

  pid_t pid_;     // 0: moved from
  int stdin_fd_;  // -1: closed
  int log_fd_;
  std::uint64_t log_start_;  // where this child's output begins
  std::optional<ExitStatus> status_;
};

/// The file that `name` means for exec: itself if it has a slash, else the first executable file of
/// that name on `search_path` (as in PATH); empty if there is none.
std::filesystem::path find_executable(const std::filesystem::path& name,
                                      const std::string& search_path);

}  // namespace offpeak
