// How one log line looks. Both formats are safe for whatever bytes a message holds: an upstream's
// text can neither break a JSON line nor send control sequences to a terminal.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace offpeak::log {

struct Line {
  std::chrono::sys_time<std::chrono::milliseconds> time;
  std::string_view level;
  std::string_view module;
  std::string_view message;
};

/// "2026-01-31T23:59:59.007Z"
std::string rfc3339_utc(std::chrono::sys_time<std::chrono::milliseconds> time);

/// With the newline at its end. Bytes that are not UTF-8 become U+FFFD.
std::string json_line(const Line& line);

/// With the newline at its end; control characters other than newline and tab become \xNN.
std::string human_line(const Line& line);

}  // namespace offpeak::log
