#include "core/jsonl/line_framer.h"

#include <algorithm>
#include <cstring>

#include "core/jsonl/json_text.h"

namespace offpeak {
namespace {

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r") == std::string_view::npos;
}

}  // namespace

LineFramer::LineFramer(std::size_t chunk_bytes, std::uint64_t line_bytes_max)
    : chunk_bytes_(chunk_bytes),
      line_bytes_max_(line_bytes_max),
      buffer_(2 * chunk_bytes + kJsonPadding) {}

std::span<char> LineFramer::space() {
  const std::size_t kept = end_ - begin_;
  std::memmove(buffer_.data(), buffer_.data() + begin_, kept);
  begin_ = 0;
  end_ = kept;
  if (buffer_.size() < kept + chunk_bytes_ + kJsonPadding) {
    buffer_.resize(2 * kept + chunk_bytes_ + kJsonPadding);
  }
  return {buffer_.data() + end_, chunk_bytes_};
}

void LineFramer::fill(std::size_t bytes) {
  end_ += bytes;
  at_end_ = bytes == 0;
}

std::optional<Line> LineFramer::next() {
  while (true) {
    const char* const begin = buffer_.data() + begin_;
    const std::size_t unsearched = end_ - begin_ - searched_;
    const void* const newline = std::memchr(begin + searched_, '\n', unsearched);
    if (newline == nullptr && !at_end_) {
      searched_ = end_ - begin_;
      discard_overlong_part();
      return std::nullopt;
    }
    if (newline == nullptr && begin_ == end_ && discarded_ == 0) return std::nullopt;
    const bool ended = newline != nullptr;
    const auto length =
        ended ? static_cast<std::size_t>(static_cast<const char*>(newline) - begin) : end_ - begin_;
    if (auto line = take(length, ended ? 1 : 0)) return line;
  }
}

std::optional<Line> LineFramer::take(std::size_t length, std::size_t line_end_bytes) {
  std::string_view text(buffer_.data() + begin_, length);
  if (text.ends_with('\r')) text.remove_suffix(1);
  Line line{.text = text,
            .offset = begin_offset_ - discarded_,
            .number = ++line_number_,
            .full_bytes = text.size() + discarded_};
  line.too_long = line.full_bytes > line_bytes_max_;
  if (line.too_long) line.text = {};
  begin_ += length + line_end_bytes;
  begin_offset_ += length + line_end_bytes;
  searched_ = 0;
  discarded_ = 0;
  if (!line.too_long && is_blank(text)) return std::nullopt;
  return line;
}

void LineFramer::discard_overlong_part() {
  std::size_t held = end_ - begin_;
  if (held + discarded_ <= line_bytes_max_ + 1) return;
  // A "\r" at the end may belong to the line end, which is not counted.
  if (buffer_[end_ - 1] == '\r') --held;
  discarded_ += held;
  begin_offset_ += held;
  begin_ += held;
  searched_ = end_ - begin_;
}

}  // namespace offpeak
