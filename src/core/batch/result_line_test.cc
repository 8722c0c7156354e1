#include "core/batch/result_line.h"

#include <gtest/gtest.h>

#include <set>

namespace offpeak {
namespace {

std::string answer(const AnswerLine& line) {
  std::string out;
  append_answer_line(out, RowName(1, 2), line);
  return out;
}

TEST(ResultLine, HasTheContractsKeysInOrder) {
  const std::string name(RowName(1, 2).hex());
  EXPECT_EQ(
      answer({.custom_id = R"("a\u0062")", .status = 200, .request_id = "req_1", .body = "{}"}),
      R"({"id": "batch_req_)" + name +
          R"(", "custom_id": "a\u0062", "response": {"status_code": 200, "request_id": "req_1", )"
          R"("body": {}}, "error": null})"
          "\n");
  std::string out;
  append_error_line(out, RowName(1, 2), "\"x\"", kBatchExpired, "It \"ended\".");
  EXPECT_EQ(out, R"({"id": "batch_req_)" + name +
                     R"(", "custom_id": "x", "response": null, "error": {"code": "batch_expired", )"
                     R"("message": "It \"ended\"."}})"
                     "\n");
}

TEST(ResultLine, KeepsTheBodysBytesButLineBreaks) {
  const auto line = answer(
      {.custom_id = "\"x\"", .status = 200, .body = "{\r\n  \"n\" :\t1.0E+2,\n\"s\":\"\\n\"}\n"});
  EXPECT_NE(line.find("\"body\": {  \"n\" :\t1.0E+2,\"s\":\"\\n\"}}, \"error\""), std::string::npos)
      << line;
  EXPECT_EQ(line.find('\n'), line.size() - 1);
}

TEST(ResultLine, WrapsABodyThatIsNotJson) {
  const auto line = answer(
      {.custom_id = "\"x\"", .status = 502, .body = "<b>bad\ngateway</b>", .json_valid = false});
  EXPECT_NE(line.find(R"("body": {"error": {"message": "<b>bad\ngateway</b>", "type")"),
            std::string::npos)
      << line;
}

TEST(ResultLine, NamesAreUniqueAndStable) {
  std::set<std::string> names;
  for (std::uint32_t row = 0; row < 1000; ++row) {
    names.emplace(RowName(7, row).hex());
    names.emplace(RowName(8, row).hex());
  }
  EXPECT_EQ(names.size(), 2000u);
  EXPECT_EQ(RowName(7, 3).hex(), RowName(7, 3).hex());
}

}  // namespace
}  // namespace offpeak
