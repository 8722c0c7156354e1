#include "platform/observe/log.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "platform/observe/line_format.h"

namespace {
struct Unprintable {};
}  // namespace

template <>
struct fmt::formatter<Unprintable> {
  constexpr auto parse(fmt::format_parse_context& context) { return context.begin(); }
  auto format(const Unprintable&, fmt::format_context& context) const -> decltype(context.out()) {
    throw std::runtime_error("cannot be formatted");
  }
};

namespace offpeak {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

template <class F>
std::string standard_error_of(F&& body) {
  testing::internal::CaptureStderr();
  body();
  return testing::internal::GetCapturedStderr();
}

const log::Line kLine{.time = std::chrono::sys_days(std::chrono::year(2026) / 1 / 31) +
                              std::chrono::milliseconds(86'399'007),
                      .level = "warn",
                      .module = "intake",
                      .message = "line 3"};

log::Line with_message(std::string_view message) {
  log::Line line = kLine;
  line.message = message;
  return line;
}

TEST(LineFormat, JsonHasTheFourMembers) {
  EXPECT_EQ(log::json_line(kLine),
            R"({"time":"2026-01-31T23:59:59.007Z","level":"warn","module":"intake",)"
            R"("message":"line 3"})"
            "\n");
}

TEST(LineFormat, JsonEscapesWhatWouldBreakTheLine) {
  EXPECT_THAT(log::json_line(with_message("a\"b\\c\nd\te\x1b\x7f é")),
              EndsWith("\"message\":\"a\\\"b\\\\c\\nd\\te\\u001b\\u007f é\"}\n"));
}

TEST(LineFormat, JsonReplacesInvalidUtf8) {
  for (const std::string bad : {"\xff", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82"})
    EXPECT_THAT(log::json_line(with_message(bad)), AllOf(Not(HasSubstr(bad)), HasSubstr("\uFFFD")));
  EXPECT_THAT(log::json_line(with_message("€ 😀")), HasSubstr("\"€ 😀\""));
}

TEST(LineFormat, HumanLineCannotDriveTheTerminal) {
  EXPECT_EQ(log::human_line(with_message("\x1b[2Jgone\nnext")),
            "2026-01-31T23:59:59.007Z warn  intake: \\x1b[2Jgone\nnext\n");
}

TEST(Log, AutomaticIsJsonWhereThereIsNoTerminal) {
  const std::string text = standard_error_of([] {
    configure_logging(log::Level::info, log::Format::automatic);
    log::info("dispatch", "row {} of {}", 3, "b");
  });
  EXPECT_THAT(text, MatchesRegex("\\{\"time\":\"[0-9T:.-]{23}Z\",\"level\":\"info\",\"module\":"
                                 "\"dispatch\",\"message\":\"row 3 of b\"\\}\n"));
}

TEST(Log, AutomaticIsHumanOnATerminal) {
  const int main_side = posix_openpt(O_RDWR | O_NOCTTY);
  ASSERT_GE(main_side, 0);
  ASSERT_EQ(grantpt(main_side), 0);
  ASSERT_EQ(unlockpt(main_side), 0);
  const int terminal = open(ptsname(main_side), O_RDWR | O_NOCTTY);
  ASSERT_GE(terminal, 0);
  const int saved = dup(STDERR_FILENO);
  dup2(terminal, STDERR_FILENO);
  configure_logging(log::Level::info, log::Format::automatic);
  log::error("app", "no room");
  dup2(saved, STDERR_FILENO);
  std::string text(256, '\0');
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(0, read(main_side, text.data(), 256))));
  for (const int fd : {saved, terminal, main_side}) close(fd);
  EXPECT_THAT(text, HasSubstr("Z error app: no room"));
}

TEST(Log, LevelHidesWhatIsBelow) {
  const std::string text = standard_error_of([] {
    configure_logging(log::Level::warn, log::Format::human);
    log::info("a", "hidden");
    log::warn("a", "shown");
    configure_logging(log::Level::off, log::Format::human);
    log::error("a", "silent");
  });
  EXPECT_THAT(text, AllOf(HasSubstr("shown"), Not(HasSubstr("hidden")), Not(HasSubstr("silent"))));
}

TEST(Log, NeverThrows) {
  const std::string text = standard_error_of([] {
    configure_logging(log::Level::info, log::Format::human);
    log::info("a", "{}", Unprintable{});
    log::write(log::Level::info, "a", "{not a format}");
  });
  EXPECT_THAT(text, EndsWith("info  a: {not a format}\n"));
}

TEST(Log, LinesOfManyThreadsStayWhole) {
  const std::string text = standard_error_of([] {
    configure_logging(log::Level::info, log::Format::human);
    std::vector<std::jthread> writers;
    for (int i = 0; i < 4; ++i) {
      writers.emplace_back([] {
        for (int row = 0; row < 100; ++row) log::info("m", "{}", std::string(200, 'x'));
      });
    }
  });
  const std::string whole = " info  m: " + std::string(200, 'x') + "\n";
  std::size_t lines = 0;
  for (std::size_t at = 0; (at = text.find(whole, at)) != std::string::npos; ++lines) ++at;
  EXPECT_EQ(lines, 400u);
}

}  // namespace
}  // namespace offpeak
