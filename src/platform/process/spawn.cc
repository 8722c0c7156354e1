#include "platform/process/spawn.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace offpeak {
namespace {

constexpr int kReportFd = 3;

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> out;
  out.reserve(strings.size() + 1);
  for (const std::string& s : strings) out.push_back(const_cast<char*>(s.c_str()));
  out.push_back(nullptr);
  return out;
}

struct ChildSide {
  const char* executable;
  char* const* command;
  char* const* environment;
  std::array<int, 4> fds;  // what becomes descriptors 0 to 3
  pid_t parent;
};

// A descriptor that has to go to 0…3 may itself lie there: first lift all of them out of the way.
bool place_descriptors(std::array<int, 4> fds) {
  for (int& fd : fds) {
    fd = fcntl(fd, F_DUPFD_CLOEXEC, kReportFd + 1);
    if (fd < 0) return false;
  }
  for (int target = 0; target <= kReportFd; ++target) {
    if (dup2(fds[static_cast<std::size_t>(target)], target) < 0) return false;
  }
  fcntl(kReportFd, F_SETFD, FD_CLOEXEC);
  if (close_range(kReportFd + 1, ~0U, 0) == 0) return true;
  for (int fd = kReportFd + 1; fd < 4096; ++fd) close(fd);
  return true;
}

void reset_signals() {
  struct sigaction standard = {};
  standard.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal) sigaction(signal, &standard, nullptr);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

[[noreturn]] void run_child(const ChildSide& side) {
  reset_signals();
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != side.parent) _exit(127);  // it ended before the line above
  int report = side.fds[3];
  if (place_descriptors(side.fds)) {
    report = kReportFd;
    execve(side.executable, side.command, side.environment);
  }
  const int reason = errno;
  [[maybe_unused]] const ssize_t written = write(report, &reason, sizeof reason);
  _exit(127);
}

// Blocks until the child has executed the file (EOF) or said why it could not.
int read_report(int fd) {
  int reason = 0;
  ssize_t got = 0;
  do {
    got = read(fd, &reason, sizeof reason);
  } while (got < 0 && errno == EINTR);
  return got == sizeof reason ? reason : 0;
}

}  // namespace

Result<pid_t> spawn(const SpawnPlan& plan) {
  const std::vector<char*> command = pointers(plan.command);
  const std::vector<char*> environment = pointers(plan.environment);
  std::array<int, 2> report{};
  if (pipe2(report.data(), O_CLOEXEC) != 0) return std::unexpected(errno_error("pipe", errno));
  const ChildSide side{.executable = plan.executable.c_str(),
                       .command = command.data(),
                       .environment = environment.data(),
                       .fds = {plan.stdin_fd, plan.output_fd, plan.output_fd, report[1]},
                       .parent = getpid()};

  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);  // no handler of ours may run in the child
  const pid_t pid = fork();
  const int fork_errno = errno;
  if (pid == 0) run_child(side);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);

  close(report[1]);
  const int reason = pid > 0 ? read_report(report[0]) : fork_errno;
  close(report[0]);
  if (pid < 0) return std::unexpected(errno_error("fork", reason));
  if (reason == 0) return pid;
  while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  return std::unexpected(errno_error(fmt::format("cannot execute {}", plan.executable), reason));
}

}  // namespace offpeak
