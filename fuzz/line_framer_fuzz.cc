// The line framer gives the same lines however the stream is cut, and they are those of a plain
// split.
#include <algorithm>
#include <vector>

#include "core/jsonl/line_framer.h"
#include "fuzz/fuzz.h"

using offpeak::fuzz::require;

namespace {

constexpr std::uint64_t kLineBytesMax = 24;

struct Found {
  std::string text;
  std::uint64_t offset;
  std::uint64_t number;
  std::uint64_t full_bytes;
  bool too_long;

  /// An over-long line's length is for a message only: the "\r" before its end may count or not.
  bool operator==(const Found& other) const {
    const auto shorter = std::min(full_bytes, other.full_bytes);
    const auto longer = std::max(full_bytes, other.full_bytes);
    return text == other.text && offset == other.offset && number == other.number &&
           too_long == other.too_long && longer - shorter <= (too_long ? 1u : 0u);
  }
};

std::vector<Found> split(std::string_view text) {
  std::vector<Found> lines;
  std::uint64_t offset = 0;
  for (std::uint64_t number = 1; offset < text.size(); ++number) {
    const auto end = std::min(text.find('\n', offset), text.size());
    auto line = text.substr(offset, end - offset);
    if (line.ends_with('\r')) line.remove_suffix(1);
    const bool too_long = line.size() > kLineBytesMax;
    if (too_long || line.find_first_not_of(" \t\r") != line.npos) {
      lines.push_back({std::string(too_long ? std::string_view() : line), offset, number,
                       line.size(), too_long});
    }
    offset = end + 1;
  }
  return lines;
}

std::vector<Found> frame(std::string_view text, std::size_t chunk_bytes, std::size_t fill_bytes) {
  offpeak::LineFramer framer(chunk_bytes, kLineBytesMax);
  std::vector<Found> lines;
  for (bool more = true; more;) {
    const auto space = framer.space();
    const auto bytes = std::min({space.size(), fill_bytes, text.size()});
    std::ranges::copy(text.substr(0, bytes), space.begin());
    text.remove_prefix(bytes);
    framer.fill(bytes);
    more = bytes > 0;
    while (const auto line = framer.next()) {
      lines.push_back(
          {std::string(line->text), line->offset, line->number, line->full_bytes, line->too_long});
    }
  }
  return lines;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = offpeak::fuzz::text_of(data, size);
  const auto expected = split(text);
  for (const std::size_t chunk_bytes : {1, 2, 7, 64, 4096}) {
    require(frame(text, chunk_bytes, chunk_bytes) == expected, "framed lines are the split lines");
  }
  require(frame(text, 64, 3) == expected, "short reads change nothing");
  return 0;
}
