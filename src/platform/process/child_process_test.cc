#include "platform/process/child_process.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <stdexcept>
#include <thread>

#include "platform/process/test_lifeline.h"

namespace offpeak {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;

class ChildProcessTest : public testing::Test {
 protected:
  ChildProcessTest() {
    std::string name = testing::TempDir() + "offpeak-child-XXXXXX";
    dir_ = mkdtemp(name.data());
  }
  ~ChildProcessTest() override { std::filesystem::remove_all(dir_); }

  ChildOptions shell(const std::string& script) const {
    return {.executable = "/bin/sh", .arguments = {"-c", script}, .log_file = dir_ / "log"};
  }
  ChildProcess start(const ChildOptions& options) const {
    auto child = ChildProcess::start(options);
    if (!child) throw std::runtime_error(child.error().message);
    return std::move(*child);
  }
  /// Blocks until the child has ended by itself.
  static ExitStatus ended(ChildProcess& child) {
    while (!child.try_wait()) std::this_thread::yield();
    return *child.try_wait();
  }

  std::filesystem::path dir_;
};

TEST_F(ChildProcessTest, TellsExitCodesAndSignalsApart) {
  ChildProcess three = start(shell("exit 3"));
  EXPECT_EQ(ended(three).text(), "exited with status 3");
  ChildProcess killed = start(shell("kill -9 $$"));
  EXPECT_EQ(ended(killed).text(), "was ended by signal 9 (Killed)");
  EXPECT_EQ(ended(killed).signal, SIGKILL);
}

TEST_F(ChildProcessTest, LeavesNoZombie) {
  ChildProcess child = start(shell("exit 0"));
  ended(child);
  EXPECT_EQ(kill(child.pid(), 0), -1);
  EXPECT_EQ(errno, ESRCH);
}

TEST_F(ChildProcessTest, CapturesBothStreamsAndKeepsTheLastLines) {
  ChildProcess child = start(shell("for i in 1 2 3 4; do echo line $i; done; echo oops >&2"));
  ended(child);
  EXPECT_EQ(child.last_lines(2), "line 4\noops\n");
  EXPECT_EQ(child.last_lines(100), "line 1\nline 2\nline 3\nline 4\noops\n");
  EXPECT_EQ(child.last_lines(0), "");
}

TEST_F(ChildProcessTest, LastLinesAreThisChildsOnly) {
  ChildProcess first = start(shell("echo first"));
  ended(first);
  ChildProcess second = start(shell("printf 'no newline'"));
  ended(second);
  EXPECT_EQ(second.last_lines(20), "no newline");
}

TEST_F(ChildProcessTest, LogIsPrivateAndCanBeBounded) {
  ChildProcess child = start(shell("echo 12345; read x; echo after"));
  while (child.last_lines(1).empty()) std::this_thread::yield();
  EXPECT_EQ(std::filesystem::status(dir_ / "log").permissions(), std::filesystem::perms(0600));
  child.bound_log(6);
  EXPECT_EQ(child.last_lines(9), "12345\n");
  child.bound_log(5);
  child.close_stdin();
  ended(child);
  EXPECT_EQ(child.last_lines(9), "after\n");
}

TEST_F(ChildProcessTest, MissingExecutableIsNamed) {
  ChildOptions options = shell("");
  options.executable = "/no/such/engine";
  const auto missing = ChildProcess::start(options);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorKind::not_found);
  EXPECT_THAT(missing.error().message, HasSubstr("cannot execute /no/such/engine: No such file"));
  options.executable = "no-such-engine";
  EXPECT_THAT(ChildProcess::start(options).error().message, HasSubstr("not found on the PATH"));
}

TEST_F(ChildProcessTest, FileThatCannotBeExecutedIsAnError) {
  std::ofstream(dir_ / "text") << "hello";
  ChildOptions options = shell("");
  options.executable = dir_ / "text";
  EXPECT_THAT(ChildProcess::start(options).error().message, HasSubstr("Permission denied"));
}

TEST_F(ChildProcessTest, UnwritableLogIsNamed) {
  ChildOptions options = shell("");
  options.log_file = dir_ / "missing" / "log";
  EXPECT_THAT(ChildProcess::start(options).error().message, HasSubstr("missing/log"));
}

TEST_F(ChildProcessTest, EnvironmentIsAddedToOurs) {
  setenv("OFFPEAK_TEST_KEPT", "kept", 1);
  setenv("OFFPEAK_TEST_CHANGED", "old", 1);
  ChildOptions options = shell("echo $OFFPEAK_TEST_KEPT $OFFPEAK_TEST_CHANGED $OFFPEAK_TEST_NEW");
  options.environment = {{"OFFPEAK_TEST_CHANGED", "changed"}, {"OFFPEAK_TEST_NEW", "a b"}};
  ChildProcess child = start(options);
  ended(child);
  EXPECT_EQ(child.last_lines(1), "kept changed a b\n");
}

TEST_F(ChildProcessTest, StdinStaysOpenUntilClosed) {
  ChildProcess child = start(shell("echo up; cat; echo closed"));
  while (child.last_lines(1).empty()) std::this_thread::yield();
  EXPECT_FALSE(child.try_wait());
  child.close_stdin();
  ended(child);
  EXPECT_EQ(child.last_lines(9), "up\nclosed\n");
}

TEST_F(ChildProcessTest, InheritsNoDescriptorAndNoSignalState) {
  const int leak = open("/dev/null", O_RDONLY);  // without O_CLOEXEC
  const auto old_handler = signal(SIGPIPE, SIG_IGN);
  sigset_t term;
  sigset_t before;
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &term, &before);
  ChildProcess child = start({.executable = "python3",
                              .arguments = {"-c",
                                            "import os, signal as s\n"
                                            "fds = os.listdir('/proc/self/fd')\n"
                                            "print(len(fds), s.pthread_sigmask(0, []), "
                                            "os.getpgid(0) == os.getpid())\n"
                                            "os.kill(os.getpid(), s.SIGTERM)"},
                              .log_file = dir_ / "log"});
  const ExitStatus status = ended(child);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  signal(SIGPIPE, old_handler);
  close(leak);
  EXPECT_EQ(child.last_lines(9), "4 set() True\n");  // 0, 1, 2 and the listing's own
  EXPECT_EQ(status.signal, SIGTERM);
}

TEST_F(ChildProcessTest, StopAsksFirst) {
  const Lifeline lifeline(dir_ / "fifo");
  ChildProcess child =
      start(shell("exec 9>" + lifeline.path().string() +
                  "; trap 'echo asked; exit 7' TERM; echo up >&9; while :; do sleep 0.01; done"));
  EXPECT_EQ(lifeline.read_line(), "up");
  EXPECT_EQ(child.stop(milliseconds(5000)).code, 7);
  EXPECT_EQ(child.last_lines(1), "asked\n");
}

TEST_F(ChildProcessTest, StopKillsTheStubbornAndItsChildren) {
  const Lifeline lifeline(dir_ / "fifo");
  ChildProcess child = start(shell("exec 9>" + lifeline.path().string() +
                                   "; trap '' TERM; sleep 1000 & echo up >&9; wait; sleep 1000"));
  EXPECT_EQ(lifeline.read_line(), "up");
  EXPECT_EQ(child.stop(milliseconds(20)).signal, SIGKILL);
  EXPECT_TRUE(lifeline.all_gone());
}

TEST_F(ChildProcessTest, WhatAnEndedChildLeftBehindIsKilled) {
  const Lifeline lifeline(dir_ / "fifo");
  ChildProcess child =
      start(shell("exec 9>" + lifeline.path().string() + "; sleep 1000 & echo up >&9; exit 0"));
  EXPECT_EQ(lifeline.read_line(), "up");
  EXPECT_EQ(ended(child).code, 0);
  EXPECT_TRUE(lifeline.all_gone());
}

TEST_F(ChildProcessTest, DestructorEndsTheChild) {
  const Lifeline lifeline(dir_ / "fifo");
  {
    const ChildProcess child =
        start(shell("exec 9>" + lifeline.path().string() + "; echo up >&9; sleep 1000"));
    EXPECT_EQ(lifeline.read_line(), "up");
  }
  EXPECT_TRUE(lifeline.all_gone());
}

TEST_F(ChildProcessTest, DiesWithTheThreadThatStartedIt) {
  const Lifeline lifeline(dir_ / "fifo");
  std::optional<ChildProcess> child;
  std::thread([&] {
    child = start(shell("exec 9>" + lifeline.path().string() + "; echo up >&9; sleep 1000"));
    EXPECT_EQ(lifeline.read_line(), "up");
  }).join();
  EXPECT_EQ(ended(*child).signal, SIGTERM);
}

TEST(FindExecutable, WalksThePath) {
  EXPECT_EQ(find_executable("sh", "/no/such:/bin"), "/bin/sh");
  EXPECT_EQ(find_executable("./sh", "/bin"), "./sh");
  EXPECT_EQ(find_executable("sh", "/no/such"), "");
  EXPECT_EQ(find_executable("", "/bin"), "");
}

}  // namespace
}  // namespace offpeak
