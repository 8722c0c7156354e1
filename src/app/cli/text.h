// Numbers, sizes, times and tables as people read them.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace offpeak::cli {

/// 24113 as "24,113".
std::string group_digits(std::uint64_t number);

/// Three significant digits in powers of 1000: "209 MB", "4.10 kB", "12 B".
std::string human_bytes(std::uint64_t bytes);

/// "06:35", from one hour on "1:06:35", from one day on "2d 03:04:05".
std::string clock_time(std::chrono::seconds duration);

/// "0.4 s", "12.3 s", "6 m 35 s", "1 h 6 m".
std::string human_duration(std::chrono::milliseconds duration);

/// "7.3 rows/s", "0.21 rows/s", "1,234 rows/s".
std::string human_rate(double per_second, std::string_view unit);

/// "2026-11-21 12:33:05Z".
std::string utc_time(std::int64_t unix_seconds);

/// Columns padded to their widest cell, two spaces between; no trailing spaces. The first row is
/// the heading.
std::string table(const std::vector<std::vector<std::string>>& rows);

/// An id as one segment of a URL's path: what would change the path is percent-encoded.
std::string path_segment(std::string_view id);

/// "?limit=20&after=batch_1", without `after` where it is empty.
std::string list_query(int limit, std::string_view after);

/// The words a POSIX shell splits into exactly `words`.
std::string shell_command(const std::vector<std::string>& words);

}  // namespace offpeak::cli
