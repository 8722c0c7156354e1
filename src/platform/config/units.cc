#include "platform/config/units.h"

#include <fmt/format.h>

#include <array>
#include <cctype>
#include <charconv>
#include <limits>
#include <utility>

namespace offpeak {
namespace {

constexpr std::int64_t kMillion = 1'000'000;

struct Unit {
  std::string_view name;
  std::uint64_t scale;
};

constexpr std::array kDurationUnits = {Unit{"d", 86'400'000}, Unit{"h", 3'600'000},
                                       Unit{"m", 60'000}, Unit{"s", 1'000}, Unit{"ms", 1}};
constexpr std::array kSizeUnits = {Unit{"TiB", 1ULL << 40},
                                   Unit{"GiB", 1ULL << 30},
                                   Unit{"MiB", 1ULL << 20},
                                   Unit{"KiB", 1ULL << 10},
                                   Unit{"TB", 1'000'000'000'000},
                                   Unit{"GB", 1'000'000'000},
                                   Unit{"MB", 1'000'000},
                                   Unit{"KB", 1'000},
                                   Unit{"kB", 1'000},
                                   Unit{"B", 1}};

struct Number {
  std::int64_t millionths;
  std::string_view rest;
};

// At most 12 digits before the point, so that no unit overflows 64 bits by accident alone.
std::optional<Number> leading_number(std::string_view text) {
  std::size_t at = 0;
  std::int64_t value = 0;
  while (at < text.size() && std::isdigit(static_cast<unsigned char>(text[at]))) {
    if (at == 12) return std::nullopt;
    value = value * 10 + (text[at++] - '0');
  }
  if (at == 0) return std::nullopt;
  value *= kMillion;
  if (at < text.size() && text[at] == '.') {
    const std::size_t point = at++;
    std::int64_t scale = kMillion;
    while (at < text.size() && std::isdigit(static_cast<unsigned char>(text[at]))) {
      scale /= 10;
      if (scale == 0) return std::nullopt;
      value += (text[at++] - '0') * scale;
    }
    if (at == point + 1) return std::nullopt;
  }
  return Number{value, text.substr(at)};
}

std::string_view trim_space(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  return text;
}

std::optional<std::uint64_t> scaled(const Number& number, std::uint64_t scale) {
  const auto wide = static_cast<unsigned __int128>(number.millionths) * scale;
  if (wide % kMillion != 0) return std::nullopt;
  const auto value = wide / kMillion;
  if (value >= std::numeric_limits<std::uint64_t>::max() / 2) return std::nullopt;
  return static_cast<std::uint64_t>(value);
}

template <std::size_t N>
std::optional<std::uint64_t> with_unit(std::string_view text, const std::array<Unit, N>& units,
                                       std::uint64_t bare_scale) {
  const auto number = leading_number(text);
  if (!number) return std::nullopt;
  const auto name = trim_space(number->rest);
  if (name.empty()) return scaled(*number, bare_scale);
  for (const auto& unit : units) {
    if (unit.name == name) return scaled(*number, unit.scale);
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  const auto value = with_unit(text, kDurationUnits, 1'000);
  if (!value) return std::nullopt;
  return std::chrono::milliseconds(static_cast<std::int64_t>(*value));
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  if (text == "unlimited") return std::numeric_limits<std::uint64_t>::max();
  if (std::uint64_t bytes = 0; !text.empty()) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bytes);
    if (error == std::errc{} && end == text.data() + text.size()) return bytes;
  }
  return with_unit(text, kSizeUnits, 1);
}

std::optional<std::int64_t> parse_millionths(std::string_view text) {
  const auto number = leading_number(text);
  if (!number || !number->rest.empty()) return std::nullopt;
  return number->millionths;
}

std::string format_duration(std::chrono::milliseconds duration) {
  const auto count = static_cast<std::uint64_t>(duration.count());
  if (count == 0) return "0s";
  for (const auto& unit : kDurationUnits) {
    if (count % unit.scale == 0) return fmt::format("{}{}", count / unit.scale, unit.name);
  }
  std::unreachable();
}

std::string format_size(std::uint64_t bytes) {
  if (bytes == std::numeric_limits<std::uint64_t>::max()) return "unlimited";
  for (const auto& unit : kSizeUnits) {
    if (unit.scale > 1 && bytes > 0 && bytes % unit.scale == 0) {
      return fmt::format("{}{}", bytes / unit.scale, unit.name);
    }
  }
  return fmt::format("{}", bytes);
}

std::string format_millionths(std::int64_t millionths) {
  auto text = fmt::format("{}.{:06}", millionths / kMillion, millionths % kMillion);
  while (text.ends_with('0')) text.pop_back();
  if (text.ends_with('.')) text.pop_back();
  return text;
}

}  // namespace offpeak
