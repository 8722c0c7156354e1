// For tests: a FIFO that child processes hold open. They write to it to say that they got
// somewhere, and it is at EOF once none of them is alive. Every wait gives up after five seconds.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <string>
#include <thread>

#include "base/clock.h"

namespace offpeak {

class Lifeline {
 public:
  explicit Lifeline(const std::filesystem::path& path) : path_(path) {
    mkfifo(path.c_str(), 0600);
    fd_ = open(path.c_str(), O_RDONLY | O_NONBLOCK);
  }
  ~Lifeline() { close(fd_); }

  /// Waits for a writer if there is none; empty if none comes.
  std::string read_line() const {
    const auto give_up = SystemClock().steady_now() + kPatience;
    std::string line;
    char c = 0;
    while (SystemClock().steady_now() < give_up) {
      if (!next(c)) {
        std::this_thread::yield();
      } else if (c == '\n') {
        break;
      } else {
        line += c;
      }
    }
    return line;
  }
  bool all_gone() const {
    char c = 0;
    while (next(c)) {
    }
    return !timed_out_;
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  static constexpr std::chrono::milliseconds kPatience{5'000};

  bool next(char& c) const {
    while (true) {
      pollfd entry{.fd = fd_, .events = POLLIN, .revents = 0};
      timed_out_ = poll(&entry, 1, kPatience.count()) == 0;
      if (timed_out_) return false;
      const ssize_t got = read(fd_, &c, 1);
      if (got >= 0) return got == 1;
      if (errno != EAGAIN) return false;
    }
  }

  std::filesystem::path path_;
  int fd_;
  mutable bool timed_out_ = false;
};

}  // namespace offpeak
