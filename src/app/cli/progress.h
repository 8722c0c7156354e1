// What a progress line says: rates, the time left, the bar. Pure; progress_line.h shows it.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "base/clock.h"

namespace offpeak::cli {

/// How fast a count grows, over the last half minute.
class RateMeter {
 public:
  void add(SteadyTime now, std::uint64_t count);

  /// Per second; nullopt before two readings that differ in time.
  std::optional<double> rate() const;

 private:
  struct Reading {
    SteadyTime at;
    std::uint64_t count;
  };
  std::deque<Reading> readings_;
};

/// Time for `left` at `rate`; nullopt where nobody can tell.
std::optional<std::chrono::seconds> time_left(std::uint64_t left, std::optional<double> rate);

struct ProgressStyle {
  int width = 80;  // columns; the line is cut to fit
  bool unicode = true;
};

struct RowsProgress {
  std::string status;  // the batch's
  std::uint64_t total = 0;
  std::uint64_t completed = 0;
  std::uint64_t failed = 0;
  std::chrono::seconds elapsed{0};
  std::optional<double> rate = {};

  bool operator==(const RowsProgress&) const = default;
};

struct BytesProgress {
  std::string verb;  // "upload"
  std::uint64_t total = 0;
  std::uint64_t done = 0;
  std::chrono::seconds elapsed{0};
  std::optional<double> rate = {};
};

/// `columns` wide.
std::string render_bar(std::uint64_t done, std::uint64_t total, int columns, bool unicode);

/// For a terminal: one line without its end.
std::string render_rows(const RowsProgress& rows, const ProgressStyle& style);
std::string render_bytes(const BytesProgress& bytes, const ProgressStyle& style);

/// For a log: "in_progress 24113/50000 completed, 12 failed, 61.0 rows/s, 07:04 left".
std::string plain_rows(const RowsProgress& rows);

}  // namespace offpeak::cli
