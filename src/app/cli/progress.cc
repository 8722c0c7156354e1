#include "app/cli/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "app/cli/text.h"

namespace offpeak::cli {
namespace {

using namespace std::chrono_literals;

constexpr auto kRateWindow = 30s;
constexpr int kBarMax = 32;
constexpr int kBarMin = 8;
// A rate from fewer rows than this says little.
constexpr std::uint64_t kRowsForEta = 10;

std::string repeat(std::string_view piece, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += piece;
  return out;
}

int columns_of(std::string_view text) {
  return static_cast<int>(std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string cut(std::string text, int width) {
  std::size_t at = 0;
  for (int columns = 0; at < text.size(); ++at) {
    if ((text[at] & 0xC0) != 0x80 && ++columns > width) break;
  }
  text.resize(at);
  return text;
}

std::string clock_pair(std::chrono::seconds elapsed, std::optional<std::chrono::seconds> left) {
  return fmt::format("[{}<{}]", clock_time(elapsed), left ? clock_time(*left) : "--:--");
}

std::string with_bar(std::string_view label, std::string_view tail, double done, double total,
                     const ProgressStyle& style) {
  const auto head = fmt::format("  {:<8} ", label);
  const int room = style.width - 1 - columns_of(head) - columns_of(tail) - 1;
  const int columns = std::min(kBarMax, room);
  const auto bar = columns < kBarMin
                       ? std::string{}
                       : render_bar(static_cast<std::uint64_t>(done),
                                    static_cast<std::uint64_t>(total), columns, style.unicode) +
                             " ";
  return cut(fmt::format("{}{}{}", head, bar, tail), style.width - 1);
}

std::optional<std::chrono::seconds> rows_time_left(const RowsProgress& rows) {
  const auto done = rows.completed + rows.failed;
  if (done == rows.total) return 0s;
  if (done < kRowsForEta || rows.status != "in_progress") return std::nullopt;
  return time_left(rows.total - std::min(done, rows.total), rows.rate);
}

}  // namespace

void RateMeter::add(SteadyTime now, std::uint64_t count) {
  readings_.push_back({now, count});
  while (readings_.size() > 2 && now - readings_[1].at >= kRateWindow) readings_.pop_front();
}

std::optional<double> RateMeter::rate() const {
  if (readings_.size() < 2) return std::nullopt;
  const auto& first = readings_.front();
  const auto& last = readings_.back();
  const double seconds = std::chrono::duration<double>(last.at - first.at).count();
  if (seconds <= 0 || last.count < first.count) return std::nullopt;
  return static_cast<double>(last.count - first.count) / seconds;
}

std::optional<std::chrono::seconds> time_left(std::uint64_t left, std::optional<double> rate) {
  if (left == 0) return 0s;
  if (!rate || *rate <= 0) return std::nullopt;
  const double seconds = std::ceil(static_cast<double>(left) / *rate);
  if (seconds > 1e8) return std::nullopt;
  return std::chrono::seconds(static_cast<std::int64_t>(seconds));
}

std::string render_bar(std::uint64_t done, std::uint64_t total, int columns, bool unicode) {
  static constexpr std::array<std::string_view, 8> kEighths = {"",  "▏", "▎", "▍",
                                                               "▌", "▋", "▊", "▉"};
  const double share =
      total == 0 ? 0 : std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
  const int eighths = static_cast<int>(share * columns * 8);
  const int full = eighths / 8;
  if (!unicode) return repeat("#", full) + repeat("-", columns - full);
  const auto partial = kEighths[static_cast<std::size_t>(eighths % 8)];
  return repeat("█", full) + std::string(partial) +
         repeat("·", columns - full - (partial.empty() ? 0 : 1));
}

std::string render_rows(const RowsProgress& rows, const ProgressStyle& style) {
  if (rows.total == 0) return cut(fmt::format("  {}", rows.status), style.width - 1);
  const auto done = rows.completed + rows.failed;
  auto tail = fmt::format("{}/{}  failed {}", group_digits(done), group_digits(rows.total),
                          group_digits(rows.failed));
  if (rows.rate) tail += "  " + human_rate(*rows.rate, "rows");
  tail += "  " + clock_pair(rows.elapsed, rows_time_left(rows));
  const bool usual = rows.status == "in_progress" || rows.status == "completed";
  const std::string label = usual ? "rows" : rows.status;
  return with_bar(label, tail, static_cast<double>(done), static_cast<double>(rows.total), style);
}

std::string render_bytes(const BytesProgress& bytes, const ProgressStyle& style) {
  auto tail = fmt::format("{} of {}", human_bytes(bytes.done), human_bytes(bytes.total));
  if (bytes.rate) {
    tail += fmt::format("  {}/s", human_bytes(static_cast<std::uint64_t>(*bytes.rate)));
  }
  tail += "  " + clock_pair(bytes.elapsed, time_left(bytes.total - bytes.done, bytes.rate));
  return with_bar(bytes.verb, tail, static_cast<double>(bytes.done),
                  static_cast<double>(bytes.total), style);
}

std::string plain_rows(const RowsProgress& rows) {
  if (rows.total == 0) return rows.status;
  auto line = fmt::format("{} {}/{} completed, {} failed", rows.status, rows.completed, rows.total,
                          rows.failed);
  if (rows.rate) line += ", " + human_rate(*rows.rate, "rows");
  if (const auto left = rows_time_left(rows); left > 0s)
    line += fmt::format(", {} left", clock_time(*left));
  return line;
}

}  // namespace offpeak::cli
