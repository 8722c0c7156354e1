#include "app/cli/local_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include "app/cli/interrupt.h"
#include "base/clock.h"

namespace offpeak::cli {
namespace {

using namespace std::chrono_literals;

constexpr auto kReadyTimeout = 120s;
constexpr auto kStopTimeout = 90s;
constexpr auto kPollInterval = 20ms;
constexpr std::size_t kLogTail = 2000;

CliError system_error(std::string_view what) {
  return {.what = fmt::format("{}: {}", what, std::strerror(errno))};
}

int free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return 0;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  int port = 0;
  if (::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
      ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) == 0) {
    port = ntohs(address.sin_port);
  }
  ::close(fd);
  return port;
}

std::string last_lines(std::string text) {
  if (text.size() > kLogTail) text.erase(0, text.find('\n', text.size() - kLogTail) + 1);
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

bool says_ready(const std::string& log) {
  return log.starts_with("ready ") || log.contains("\nready ");
}

}  // namespace

CliResult<std::unique_ptr<LocalServer>> LocalServer::start(const std::filesystem::path& data_dir) {
  const int port = free_port();
  if (port == 0) return std::unexpected(system_error("cannot find a free port on 127.0.0.1"));
  LogFile log(std::tmpfile(), &std::fclose);
  if (!log) return std::unexpected(system_error("cannot create a temporary file"));
  std::unique_ptr<LocalServer> server(
      new LocalServer(fmt::format("http://127.0.0.1:{}", port), std::move(log)));
  if (auto launched = server->launch(data_dir, port); !launched) {
    return std::unexpected(std::move(launched.error()));
  }
  if (auto ready = server->wait_until_ready(); !ready) {
    return std::unexpected(std::move(ready.error()));
  }
  return server;
}

CliResult<void> LocalServer::launch(const std::filesystem::path& data_dir, int port) {
  const std::string listen = fmt::format("127.0.0.1:{}", port);
  const std::string directory = data_dir.string();
  const char* const arguments[] = {"offpeak",    "serve",           "--listen", listen.c_str(),
                                   "--data-dir", directory.c_str(), nullptr};
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0) return std::unexpected(system_error("cannot start a process"));
  if (pid_ > 0) return {};
  // In the child: only calls that are safe between fork and exec.
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(127);
  ::setpgid(0, 0);
  const int input = ::open("/dev/null", O_RDONLY);
  ::dup2(input, STDIN_FILENO);
  ::dup2(::fileno(log_.get()), STDOUT_FILENO);
  ::dup2(::fileno(log_.get()), STDERR_FILENO);
  ::execv("/proc/self/exe", const_cast<char* const*>(arguments));
  ::_exit(127);
}

CliResult<void> LocalServer::wait_until_ready() {
  const SystemClock clock;
  const auto deadline = clock.steady_now() + kReadyTimeout;
  while (!interrupted()) {
    if (says_ready(log_text())) return {};
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) == pid_) {
      pid_ = -1;
      return std::unexpected(CliError{
          .what =
              fmt::format("no server is running, and 'offpeak serve' ended before it was ready:\n"
                          "{}\n",
                          last_lines(log_text())),
          .todo = "run 'offpeak serve' by hand, or name a running server by --base-url"});
    }
    if (clock.steady_now() > deadline) {
      return std::unexpected(
          CliError{.what = fmt::format("'offpeak serve' was not ready after {} s:\n{}\n",
                                       kReadyTimeout / 1s, last_lines(log_text())),
                   .todo = "run 'offpeak serve' by hand"});
    }
    pause_for(kPollInterval);
  }
  return std::unexpected(CliError{.exit = ExitCode::interrupted, .what = "interrupted"});
}

std::string LocalServer::log_text() const {
  std::string text;
  char chunk[4096];
  // pread: the child writes through the same open file, and its position must stay.
  for (off_t at = 0;;) {
    const auto count = ::pread(::fileno(log_.get()), chunk, sizeof chunk, at);
    if (count <= 0) return text;
    text.append(chunk, static_cast<std::size_t>(count));
    at += count;
  }
}

LocalServer::~LocalServer() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGTERM);
  const SystemClock clock;
  const auto deadline = clock.steady_now() + kStopTimeout;
  int status = 0;
  while (::waitpid(pid_, &status, WNOHANG) == 0) {
    if (clock.steady_now() > deadline) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, &status, 0);
      return;
    }
    std::this_thread::sleep_for(kPollInterval);
  }
}

}  // namespace offpeak::cli
