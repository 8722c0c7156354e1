#include "platform/config/setting_kinds.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "platform/config/base_url.h"
#include "platform/config/units.h"

namespace offpeak {
namespace {

template <class T>
std::optional<T> whole_number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool has_control_character(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < ' '; });
}

}  // namespace

Parsed<std::string> TextKind::parse(const std::string& text) const {
  if (text.empty() || has_control_character(text)) {
    return std::unexpected(describe());
  }
  return text;
}

Parsed<std::filesystem::path> PathKind::parse(const std::string& text) const {
  if (text.empty() || text.find('\0') != std::string::npos) return std::unexpected(describe());
  return std::filesystem::path(text);
}

template <class T>
Parsed<T> IntegerKind<T>::parse(const std::string& text) const {
  const auto value = whole_number<std::int64_t>(text);
  if (!value || *value < static_cast<std::int64_t>(min) ||
      *value > static_cast<std::int64_t>(max)) {
    return std::unexpected(describe());
  }
  return static_cast<T>(*value);
}
template struct IntegerKind<int>;
template struct IntegerKind<std::uint16_t>;

Parsed<std::uint64_t> CountKind::parse(const std::string& text) const {
  if (text == "unlimited") return kUnlimited;
  const auto value = whole_number<std::uint64_t>(text);
  if (!value || *value < min) return std::unexpected(describe());
  return *value;
}

std::string CountKind::render(std::uint64_t value) const {
  return value == kUnlimited ? "unlimited" : std::to_string(value);
}

std::string CountKind::describe() const {
  return fmt::format("an integer from {} up, or unlimited", min);
}

Parsed<std::uint64_t> SizeKind::parse(const std::string& text) const {
  const auto value = parse_size(text);
  if (!value || *value < min) return std::unexpected(describe());
  return *value;
}

std::string SizeKind::render(std::uint64_t value) const {
  return format_size(value);
}

std::string SizeKind::describe() const {
  return fmt::format("a size such as 200MB or 4MiB, at least {}, or unlimited", format_size(min));
}

Parsed<std::chrono::milliseconds> DurationKind::parse(const std::string& text) const {
  const auto value = parse_duration(text);
  if (!value || *value < min || *value > max) return std::unexpected(describe());
  return *value;
}

std::string DurationKind::render(std::chrono::milliseconds value) const {
  return format_duration(value);
}

std::string DurationKind::describe() const {
  return fmt::format("a duration such as 500ms or 10m, from {} to {}", format_duration(min),
                     format_duration(max));
}

Parsed<std::int64_t> DecimalKind::parse(const std::string& text) const {
  const auto value = parse_millionths(text);
  if (!value || *value > max_millionths) return std::unexpected(describe());
  return *value;
}

std::string DecimalKind::render(std::int64_t value) const {
  return format_millionths(value);
}

std::string DecimalKind::describe() const {
  return fmt::format("a number from 0 to {} with at most six decimals",
                     format_millionths(max_millionths));
}

Parsed<ListenAddress> ListenKind::parse(const std::string& text) const {
  auto parts = parse_host_port(text);
  if (!parts) return std::unexpected(describe());
  return ListenAddress{std::move(parts->host), parts->port};
}

std::string ListenKind::render(const ListenAddress& value) const {
  const bool v6 = value.host.find(':') != std::string::npos;
  return v6 ? fmt::format("[{}]:{}", value.host, value.port)
            : fmt::format("{}:{}", value.host, value.port);
}

Parsed<EngineChoice> EngineKind::parse(const std::string& text) const {
  if (text.empty()) return std::unexpected(describe());
  if (text == "auto") return EngineChoice{};
  if (text == "none") return EngineChoice{.mode = EngineMode::none};
  return EngineChoice{.mode = EngineMode::executable, .executable = text};
}

std::string EngineKind::render(const EngineChoice& value) const {
  if (value.mode == EngineMode::executable) return value.executable.string();
  return value.mode == EngineMode::none ? "none" : "auto";
}

Parsed<std::string> UrlKind::parse(const std::string& text) const {
  const auto url = parse_base_url(text);
  if (!url) return std::unexpected(url.error());
  return url->text();
}

Parsed<std::string> VariableKind::parse(const std::string& text) const {
  const auto is_name_char = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  if (text.empty() || (text[0] >= '0' && text[0] <= '9') ||
      !std::ranges::all_of(text, is_name_char)) {
    return std::unexpected(describe());
  }
  return text;
}

}  // namespace offpeak
