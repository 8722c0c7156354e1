// Writing log lines to standard error.
//
//   log::info("dispatch", "batch {} resumed at row {}", id, row);
//
// The first argument names the module. Nothing here throws or reports failure: a line that cannot
// be formatted or written is lost. Any thread may log at any time, also before configure_logging
// (level info, automatic format). spdlog stays inside log.cc.
#pragma once

#include <fmt/core.h>

#include <string_view>

namespace offpeak {
namespace log {

enum class Level { trace, debug, info, warn, error, off };  // the order of config's LogLevel

/// json is one object per line: {"time":RFC 3339 in UTC with ms,"level","module","message"}.
enum class Format { automatic, human, json };  // automatic: human on a terminal, else json

bool enabled(Level level) noexcept;

void write(Level level, std::string_view module, std::string_view message) noexcept;

/// Formats, then writes; what the functions below share.
void write_formatted(Level level, std::string_view module, fmt::string_view format,
                     fmt::format_args arguments) noexcept;

template <class... T>
void trace(std::string_view module, fmt::format_string<T...> format, T&&... arguments) noexcept {
  write_formatted(Level::trace, module, format, fmt::make_format_args(arguments...));
}

template <class... T>
void debug(std::string_view module, fmt::format_string<T...> format, T&&... arguments) noexcept {
  write_formatted(Level::debug, module, format, fmt::make_format_args(arguments...));
}

template <class... T>
void info(std::string_view module, fmt::format_string<T...> format, T&&... arguments) noexcept {
  write_formatted(Level::info, module, format, fmt::make_format_args(arguments...));
}

template <class... T>
void warn(std::string_view module, fmt::format_string<T...> format, T&&... arguments) noexcept {
  write_formatted(Level::warn, module, format, fmt::make_format_args(arguments...));
}

template <class... T>
void error(std::string_view module, fmt::format_string<T...> format, T&&... arguments) noexcept {
  write_formatted(Level::error, module, format, fmt::make_format_args(arguments...));
}

}  // namespace log

/// May be called again at any time; lines already being written keep the old format.
void configure_logging(log::Level level, log::Format format);

}  // namespace offpeak
