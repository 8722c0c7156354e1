// Cuts a stream of bytes into lines: "\n" ends a line, a "\r" before it and blank lines are
// skipped, physical line numbers are kept. Memory: one read chunk plus the longest line allowed.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace offpeak {

struct Line {
  std::string_view text;         // without line end; kJsonPadding readable bytes follow
  std::uint64_t offset = 0;      // of its first byte in the stream
  std::uint64_t number = 0;      // 1-based
  std::uint64_t full_bytes = 0;  // its length; `text` is empty if that is over the limit
  bool too_long = false;
};

class LineFramer {
 public:
  LineFramer(std::size_t chunk_bytes, std::uint64_t line_bytes_max);

  /// Where to read the next bytes to; tell how many came with fill(), 0 for the end of the stream.
  /// REQUIRES: next() returned nullopt. Invalidates lines given out before.
  std::span<char> space();
  void fill(std::size_t bytes);

  /// The next line that is not blank; nullopt when more bytes are needed or, after fill(0), at the
  /// end.
  std::optional<Line> next();

 private:
  std::optional<Line> take(std::size_t length, std::size_t line_end_bytes);
  void discard_overlong_part();

  std::size_t chunk_bytes_;
  std::uint64_t line_bytes_max_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;           // of what next() has not given out
  std::size_t end_ = 0;             // of what fill() brought
  std::size_t searched_ = 0;        // bytes from begin_ known to hold no "\n"
  std::uint64_t begin_offset_ = 0;  // in the stream, of begin_
  std::uint64_t discarded_ = 0;     // bytes of the current line already dropped as too long
  std::uint64_t line_number_ = 0;
  bool at_end_ = false;
};

}  // namespace offpeak
