#include "app/cli/file_check.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace offpeak::cli {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string row(std::string_view id, std::string_view model = "m") {
  return fmt::format(R"({{"custom_id":"{}","method":"POST","url":"/v1/chat/completions",)"
                     R"("body":{{"model":"{}","messages":[]}}}})"
                     "\n",
                     id, model);
}

class CheckFile : public testing::Test {
 protected:
  CheckFile()
      : path_(std::filesystem::temp_directory_path() /
              fmt::format("offpeak-check-{}.jsonl", ::getpid())) {}
  ~CheckFile() override { std::filesystem::remove(path_); }

  FileCheck check(const std::string& content) {
    std::ofstream(path_, std::ios::binary) << content;
    auto result = check_file(path_, limits_);
    EXPECT_TRUE(result);
    return result ? *result : FileCheck{};
  }

  std::vector<std::string> problems(const std::string& content) {
    std::vector<std::string> found;
    for (const auto& error : check(content).errors) {
      found.push_back(fmt::format("{}:{}", error.line, error.code));
    }
    return found;
  }

  std::filesystem::path path_;
  LimitsConfig limits_;
};

TEST_F(CheckFile, CountsAGoodFile) {
  const auto result = check(row("a") + "\n" + row("b"));
  EXPECT_TRUE(result.ok());
  EXPECT_EQ(result.rows, 2u);
  EXPECT_EQ(result.endpoint, "/v1/chat/completions");
  EXPECT_THAT(result.models, ElementsAre("m"));
  EXPECT_EQ(result.bytes, row("a").size() * 2 + 1);
}

TEST_F(CheckFile, CollectsEveryProblemWithItsLine) {
  EXPECT_THAT(problems(row("a") + "{nonsense\n\n" + row("a") + row("b", "other") +
                       R"({"custom_id":"c","method":"GET"})"),
              ElementsAre("2:invalid_json_line", "4:duplicate_custom_id", "5:mismatched_model",
                          "6:invalid_method"));
}

TEST_F(CheckFile, JudgesTheFileAsAWhole) {
  EXPECT_THAT(problems(""), ElementsAre("0:empty_file"));
  limits_.rows = 1;
  limits_.batch_file_bytes = 10;
  EXPECT_THAT(problems(row("a") + row("b")), ElementsAre("0:too_many_tasks", "0:file_too_large"));
  limits_ = {};
  limits_.line_bytes = 50;
  EXPECT_THAT(problems(row("a")), ElementsAre("1:line_too_long"));
}

TEST_F(CheckFile, ListsOnlySoManyProblems) {
  limits_.listed_errors = 2;
  const auto result = check("x\nx\nx\n");
  EXPECT_EQ(result.errors.size(), 2u);
  EXPECT_EQ(result.errors_total, 3u);
}

TEST_F(CheckFile, SaysThatAByteOrderMarkIsTheReason) {
  const auto result = check("\xEF\xBB\xBF" + row("a"));
  ASSERT_EQ(result.errors.size(), 1u);
  EXPECT_NE(result.errors[0].message.find("byte order mark"), std::string::npos);
}

TEST_F(CheckFile, EscapesDoNotHideADuplicate) {
  EXPECT_THAT(problems(row("a") + row("\\u0061")), ElementsAre("2:duplicate_custom_id"));
}

TEST_F(CheckFile, MustBeNamedJsonl) {
  std::filesystem::remove(path_);
  path_.replace_extension(".txt");
  EXPECT_THAT(problems(row("a")), ElementsAre("0:invalid_file_format"));
}

TEST_F(CheckFile, AMissingFileIsAnError) {
  const auto result = check_file("/nonexistent/x.jsonl", limits_);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().what, "cannot read /nonexistent/x.jsonl: No such file or directory");
  EXPECT_FALSE(check_file("/", limits_));
}

}  // namespace
}  // namespace offpeak::cli
