#include "platform/process/child_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <string_view>
#include <thread>
#include <utility>

#include "platform/process/spawn.h"

namespace offpeak {
namespace {

constexpr std::uint64_t kTailBytes = 64 << 10;
constexpr std::chrono::milliseconds kStopPoll{5};

void close_once(int& fd) {
  if (fd >= 0) ::close(fd);
  fd = -1;
}

std::uint64_t file_size(int fd) {
  struct stat info = {};
  return fstat(fd, &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
}

std::vector<std::string> merged_environment(const std::map<std::string, std::string>& additions) {
  std::vector<std::string> out;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    if (!additions.contains(std::string(text.substr(0, text.find('='))))) out.emplace_back(text);
  }
  for (const auto& [name, value] : additions) out.push_back(fmt::format("{}={}", name, value));
  return out;
}

std::string search_path() {
  const char* path = std::getenv("PATH");
  return path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin";
}

ExitStatus exit_status(const siginfo_t& info) {
  if (info.si_code == CLD_EXITED) return {.code = info.si_status};
  return {.signal = info.si_status};
}

}  // namespace

std::string ExitStatus::text() const {
  if (signal == 0) return fmt::format("exited with status {}", code);
  const char* name = sigdescr_np(signal);
  return fmt::format("was ended by signal {} ({})", signal, name != nullptr ? name : "?");
}

std::filesystem::path find_executable(const std::filesystem::path& name,
                                      const std::string& search_path) {
  if (name.has_parent_path()) return name;
  std::string_view rest = search_path;
  while (!rest.empty() && !name.empty()) {
    const std::size_t colon = rest.find(':');
    const std::filesystem::path candidate = std::filesystem::path(rest.substr(0, colon)) / name;
    std::error_code ignored;
    if (std::filesystem::is_regular_file(candidate, ignored) &&
        access(candidate.c_str(), X_OK) == 0) {
      return candidate;
    }
    rest = colon == std::string_view::npos ? "" : rest.substr(colon + 1);
  }
  return {};
}

Result<ChildProcess> ChildProcess::start(const ChildOptions& options) {
  const std::filesystem::path file = find_executable(options.executable, search_path());
  if (file.empty()) {
    return fail(ErrorKind::not_found, fmt::format("cannot execute {}: not found on the PATH",
                                                  options.executable.string()));
  }
  int log_fd = open(options.log_file.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (log_fd < 0) {
    return std::unexpected(
        errno_error(fmt::format("cannot open the log {}", options.log_file.string()), errno));
  }
  std::array<int, 2> input{};
  if (pipe2(input.data(), O_CLOEXEC) != 0) {
    const int reason = errno;
    close_once(log_fd);
    return std::unexpected(errno_error("pipe", reason));
  }
  SpawnPlan plan{.executable = file.string(),
                 .command = {options.executable.string()},
                 .environment = merged_environment(options.environment),
                 .stdin_fd = input[0],
                 .output_fd = log_fd};
  plan.command.insert(plan.command.end(), options.arguments.begin(), options.arguments.end());
  const std::uint64_t log_start = file_size(log_fd);
  const Result<pid_t> pid = spawn(plan);
  close_once(input[0]);
  if (!pid) {
    close_once(input[1]);
    close_once(log_fd);
    return std::unexpected(pid.error());
  }
  return ChildProcess(*pid, input[1], log_fd, log_start);
}

ChildProcess::ChildProcess(pid_t pid, int stdin_fd, int log_fd, std::uint64_t log_start)
    : pid_(pid), stdin_fd_(stdin_fd), log_fd_(log_fd), log_start_(log_start) {}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, 0)),
      stdin_fd_(std::exchange(other.stdin_fd_, -1)),
      log_fd_(std::exchange(other.log_fd_, -1)),
      log_start_(other.log_start_),
      status_(other.status_) {}

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(stdin_fd_, other.stdin_fd_);
  std::swap(log_fd_, other.log_fd_);
  std::swap(log_start_, other.log_start_);
  std::swap(status_, other.status_);
  return *this;
}

ChildProcess::~ChildProcess() {
  if (pid_ > 0) stop(std::chrono::milliseconds(0));
  close_once(log_fd_);
}

// The zombie keeps its pid, and with it the group's name, until the group has been killed.
std::optional<ExitStatus> ChildProcess::try_wait() {
  if (status_) return status_;
  siginfo_t info = {};
  const auto id = static_cast<id_t>(pid_);
  if (waitid(P_PID, id, &info, WEXITED | WNOHANG | WNOWAIT) != 0) {
    if (errno == ECHILD) status_ = ExitStatus{.code = 127};  // somebody ignores SIGCHLD
    return status_;
  }
  if (info.si_pid == 0) return std::nullopt;
  signal_group(SIGKILL);
  waitid(P_PID, id, &info, WEXITED);
  status_ = exit_status(info);
  close_stdin();
  return status_;
}

void ChildProcess::close_stdin() {
  close_once(stdin_fd_);
}

ExitStatus ChildProcess::stop(std::chrono::milliseconds grace) {
  close_stdin();
  if (grace.count() > 0 && !try_wait()) signal_group(SIGTERM);
  for (auto waited = std::chrono::milliseconds(0); waited < grace; waited += kStopPoll) {
    if (try_wait()) return *status_;
    std::this_thread::sleep_for(kStopPoll);
  }
  if (!try_wait()) signal_group(SIGKILL);
  while (!try_wait()) std::this_thread::sleep_for(kStopPoll);
  return *status_;
}

void ChildProcess::signal_group(int signal) const {
  if (kill(-pid_, signal) != 0) kill(pid_, signal);
}

std::string ChildProcess::last_lines(std::size_t count) const {
  const std::uint64_t end = file_size(log_fd_);
  std::uint64_t begin = end < log_start_ ? 0 : log_start_;  // emptied by bound_log
  begin = std::max(begin, end > kTailBytes ? end - kTailBytes : 0);
  std::string tail(end - begin, '\0');
  const ssize_t got = pread(log_fd_, tail.data(), tail.size(), static_cast<off_t>(begin));
  tail.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  std::size_t at = tail.size();
  if (at > 0 && tail[at - 1] == '\n') --at;
  for (std::size_t lines = 0; at > 0; --at) {
    if (tail[at - 1] == '\n' && ++lines == count) break;
  }
  return count == 0 ? "" : tail.substr(at);
}

void ChildProcess::bound_log(std::uint64_t max_bytes) const {
  if (file_size(log_fd_) > max_bytes) [[maybe_unused]]
    const int ignored = ftruncate(log_fd_, 0);
}

}  // namespace offpeak
