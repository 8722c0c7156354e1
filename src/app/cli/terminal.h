// Standard error as the place for talk: marks, colour, one progress line that rewrites itself on a
// terminal and becomes an occasional plain line elsewhere. Standard output carries data only.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "app/cli/progress.h"
#include "base/clock.h"

namespace offpeak::cli {

struct TerminalTraits {
  bool interactive = false;  // standard error is a terminal
  bool colour = false;       // interactive, and neither NO_COLOR nor TERM=dumb
  bool unicode = false;      // by LC_ALL, LC_CTYPE or LANG
};

TerminalTraits terminal_traits(bool is_terminal,
                               const std::map<std::string, std::string>& environment);

enum class Mark { done, fail, note };

class Terminal {
 public:
  Terminal(TerminalTraits traits, const Clock& clock) : traits_(traits), clock_(clock) {}
  static Terminal on_stderr(const Clock& clock);

  /// One line of talk; clears a progress line first.
  void say(Mark mark, std::string_view text);

  void show(const RowsProgress& rows);
  void show(const BytesProgress& bytes);

  /// Leaves the last progress line standing.
  void keep_progress();

 private:
  ProgressStyle style() const;
  void redraw(const std::string& line);
  void clear_progress();

  TerminalTraits traits_;
  const Clock& clock_;
  std::optional<SteadyTime> shown_at_;
  std::string plain_;
  std::string plain_status_;
  bool progress_visible_ = false;
};

}  // namespace offpeak::cli
