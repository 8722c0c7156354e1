#include "platform/observe/log.h"

#include <fmt/format.h>
#include <spdlog/details/log_msg.h>
#include <spdlog/formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <iterator>
#include <memory>
#include <string>

#include "platform/observe/line_format.h"

namespace offpeak {
namespace log {
namespace {

std::string_view level_name(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::trace:
      return "trace";
    case spdlog::level::debug:
      return "debug";
    case spdlog::level::info:
      return "info";
    case spdlog::level::warn:
      return "warn";
    default:
      return "error";
  }
}

class LineFormatter final : public spdlog::formatter {
 public:
  explicit LineFormatter(bool json) : json_(json) {}

  void format(const spdlog::details::log_msg& msg, spdlog::memory_buf_t& dest) override {
    const Line line{.time = std::chrono::floor<std::chrono::milliseconds>(msg.time),
                    .level = level_name(msg.level),
                    .module = {msg.logger_name.data(), msg.logger_name.size()},
                    .message = {msg.payload.data(), msg.payload.size()}};
    const std::string text = json_ ? json_line(line) : human_line(line);
    dest.append(text.data(), text.data() + text.size());
  }

  std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<LineFormatter>(json_);
  }

 private:
  bool json_;
};

std::unique_ptr<spdlog::formatter> make_formatter(Format format) {
  const bool json =
      format == Format::json || (format == Format::automatic && isatty(STDERR_FILENO) == 0);
  return std::make_unique<LineFormatter>(json);
}

// Never destroyed: destructors of other statics may still log.
spdlog::sinks::sink& sink() {
  static spdlog::sinks::sink& only = [] -> spdlog::sinks::sink& {
    auto made = std::make_unique<spdlog::sinks::stderr_sink_mt>();
    made->set_formatter(make_formatter(Format::automatic));
    return *made.release();
  }();
  return only;
}

std::atomic<Level>& threshold() {
  static std::atomic<Level> level = Level::info;
  return level;
}

spdlog::level::level_enum to_spdlog(Level level) {
  constexpr std::array kLevels{spdlog::level::trace, spdlog::level::debug, spdlog::level::info,
                               spdlog::level::warn,  spdlog::level::err,   spdlog::level::off};
  return kLevels.at(static_cast<std::size_t>(level));
}

}  // namespace

bool enabled(Level level) noexcept {
  return level != Level::off && level >= threshold().load(std::memory_order_relaxed);
}

void write(Level level, std::string_view module, std::string_view message) noexcept {
  if (!enabled(level)) return;
  try {
    sink().log(spdlog::details::log_msg(spdlog::string_view_t(module.data(), module.size()),
                                        to_spdlog(level),
                                        spdlog::string_view_t(message.data(), message.size())));
  } catch (...) {  // logging is never the reason why work fails
  }
}

void write_formatted(Level level, std::string_view module, fmt::string_view format,
                     fmt::format_args arguments) noexcept {
  if (!enabled(level)) return;
  try {
    fmt::memory_buffer text;
    fmt::vformat_to(std::back_inserter(text), format, arguments);
    write(level, module, std::string_view(text.data(), text.size()));
  } catch (...) {
  }
}

}  // namespace log

void configure_logging(log::Level level, log::Format format) {
  log::threshold() = level;
  log::sink().set_formatter(log::make_formatter(format));
}

}  // namespace offpeak
