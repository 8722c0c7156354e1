// Durations, sizes and decimals as people write them in a configuration file or on a command line.
// Errors are phrases that complete "must be …".
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace offpeak {

/// "250ms", "30s", "10m", "1.5h", "2d"; a bare number is seconds. Nullopt if it is none of these.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

/// "512", "200MB" (10^6), "4MiB" (2^20), "unlimited" (kUnlimited). Nullopt if it is none of these.
std::optional<std::uint64_t> parse_size(std::string_view text);

/// "0.075" as 75'000; at most six digits behind the point. Nullopt if it is no such number.
std::optional<std::int64_t> parse_millionths(std::string_view text);

/// The shortest exact form that the parsers above read back.
std::string format_duration(std::chrono::milliseconds duration);
std::string format_size(std::uint64_t bytes);
std::string format_millionths(std::int64_t millionths);

}  // namespace offpeak
