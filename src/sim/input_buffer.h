// Bytes received and not yet consumed, contiguous, with simdjson's padding readable behind them.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <memory>
#include <string_view>

namespace offpeak::sim {

class InputBuffer {
 public:
  std::string_view view() const { return {storage_.get() + begin_, end_ - begin_}; }
  void consume(std::size_t bytes);
  /// One read(2) with room for at least 4 KiB; its result.
  ssize_t read_from(int fd);
  /// True when the last read left no room, so that more may be waiting.
  bool is_full() const { return end_ + kPadding == capacity_; }

 private:
  static constexpr std::size_t kPadding = 64;

  void make_room();

  std::unique_ptr<char[]> storage_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace offpeak::sim
