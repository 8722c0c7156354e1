#include "app/cli/terminal.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>

#include "platform/config/config.h"

namespace offpeak::cli {
namespace {

using namespace std::chrono_literals;

constexpr auto kPlainInterval = 5s;
constexpr auto kRedrawInterval = 80ms;

int terminal_width() {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 20) return 80;
  return size.ws_col;
}

struct MarkLook {
  std::string_view unicode;
  std::string_view plain;
  std::string_view colour;
};

MarkLook look_of(Mark mark) {
  switch (mark) {
    case Mark::done:
      return {"✓", "ok:", "\x1b[32m"};
    case Mark::fail:
      return {"✗", "failed:", "\x1b[31m"};
    case Mark::note:
      break;
  }
  return {"", "", ""};
}

}  // namespace

TerminalTraits terminal_traits(bool is_terminal,
                               const std::map<std::string, std::string>& environment) {
  const auto get = [&](const char* name) {
    const auto found = environment.find(name);
    return found == environment.end() ? std::string{} : found->second;
  };
  std::string locale;
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    if (locale.empty()) locale = get(name);
  }
  return {.interactive = is_terminal && get("TERM") != "dumb",
          .colour = is_terminal && get("TERM") != "dumb" && get("NO_COLOR").empty(),
          .unicode = locale.contains("UTF-8") || locale.contains("utf8")};
}

Terminal Terminal::on_stderr(const Clock& clock) {
  return Terminal(terminal_traits(::isatty(STDERR_FILENO) == 1, process_environment()), clock);
}

ProgressStyle Terminal::style() const {
  return {.width = terminal_width(), .unicode = traits_.unicode};
}

void Terminal::say(Mark mark, std::string_view text) {
  clear_progress();
  const auto look = look_of(mark);
  const auto sign = traits_.unicode ? look.unicode : look.plain;
  if (sign.empty()) {
    fmt::print(stderr, "{}\n", text);
  } else if (traits_.colour) {
    fmt::print(stderr, "{}{}\x1b[0m {}\n", look.colour, sign, text);
  } else {
    fmt::print(stderr, "{} {}\n", sign, text);
  }
}

void Terminal::show(const RowsProgress& rows) {
  if (traits_.interactive) {
    redraw(render_rows(rows, style()));
    return;
  }
  const auto line = plain_rows(rows);
  const auto now = clock_.steady_now();
  const bool due = !shown_at_ || now - *shown_at_ >= kPlainInterval || rows.status != plain_status_;
  if (!due || line == plain_) return;
  plain_ = line;
  plain_status_ = rows.status;
  shown_at_ = now;
  fmt::print(stderr, "{}\n", line);
}

void Terminal::show(const BytesProgress& bytes) {
  if (!traits_.interactive) return;
  const auto now = clock_.steady_now();
  const bool last = bytes.done == bytes.total;
  if (!last && shown_at_ && now - *shown_at_ < kRedrawInterval) return;
  shown_at_ = now;
  redraw(render_bytes(bytes, style()));
}

void Terminal::redraw(const std::string& line) {
  fmt::print(stderr, "\r{}\x1b[K", line);
  std::fflush(stderr);
  progress_visible_ = true;
}

void Terminal::clear_progress() {
  if (progress_visible_) fmt::print(stderr, "\r\x1b[K");
  progress_visible_ = false;
}

void Terminal::keep_progress() {
  if (progress_visible_) fmt::print(stderr, "\n");
  progress_visible_ = false;
}

}  // namespace offpeak::cli
