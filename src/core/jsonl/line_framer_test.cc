#include "core/jsonl/line_framer.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

namespace offpeak {
namespace {

struct Framed {
  std::string text;
  std::uint64_t offset;
  std::uint64_t number;
  bool too_long;

  bool operator==(const Framed&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Framed& line) {
  return out << line.number << "@" << line.offset << " '" << line.text << "'" << line.too_long;
}

std::vector<Framed> frame(std::string_view stream, std::size_t chunk, std::uint64_t max) {
  LineFramer framer(chunk, max);
  std::vector<Framed> lines;
  while (true) {
    while (const auto line = framer.next()) {
      lines.push_back({std::string(line->text), line->offset, line->number, line->too_long});
    }
    const auto space = framer.space();
    const auto count = std::min(space.size(), stream.size());
    std::memcpy(space.data(), stream.data(), count);
    stream.remove_prefix(count);
    framer.fill(count);
    if (count == 0) {
      while (const auto line = framer.next()) {
        lines.push_back({std::string(line->text), line->offset, line->number, line->too_long});
      }
      return lines;
    }
  }
}

TEST(LineFramer, EveryChunkSizeGivesTheSameLines) {
  const std::string stream = "one\r\n\n  \ntwo\nlonger than ten\n\xC3\xA9\nlast";
  const std::vector<Framed> expected = {{"one", 0, 1, false},
                                        {"two", 9, 4, false},
                                        {"", 13, 5, true},
                                        {"\xC3\xA9", 29, 6, false},
                                        {"last", 32, 7, false}};
  for (std::size_t chunk = 1; chunk < 50; ++chunk) EXPECT_EQ(frame(stream, chunk, 10), expected);
}

TEST(LineFramer, LimitIsInclusiveAndDoesNotCountTheLineEnd) {
  for (std::size_t chunk = 1; chunk < 12; ++chunk) {
    EXPECT_FALSE(frame("1234567890\r\n", chunk, 10).at(0).too_long);
    EXPECT_TRUE(frame("12345678901\n", chunk, 10).at(0).too_long);
    EXPECT_TRUE(frame("12345678901", chunk, 10).at(0).too_long);
  }
}

TEST(LineFramer, SaysHowLongALineWouldHaveBeen) {
  for (std::size_t chunk = 1; chunk < 40; ++chunk) {
    LineFramer framer(chunk, 10);
    const std::string stream = std::string(24, 'x') + "\r\r\n";
    std::string_view rest = stream;
    std::optional<Line> line;
    while (!(line = framer.next())) {
      const auto space = framer.space();
      const auto count = std::min(space.size(), rest.size());
      std::memcpy(space.data(), rest.data(), count);
      rest.remove_prefix(count);
      framer.fill(count);
    }
    EXPECT_EQ(line->full_bytes, 25u) << chunk;
  }
}

TEST(LineFramer, EmptyAndBlankStreamsHaveNoLines) {
  EXPECT_TRUE(frame("", 4, 10).empty());
  EXPECT_TRUE(frame("\n\r\n \t\n", 3, 10).empty());
}

}  // namespace
}  // namespace offpeak
