#include "core/batch/answer.h"

#include <gtest/gtest.h>

namespace offpeak {
namespace {

AnswerFacts read(std::string body) {
  return AnswerReader().read(body);
}

TEST(AnswerReader, ReadsBothSpellingsOfUsage) {
  const auto chat = read(
      R"({"usage":{"prompt_tokens":10,"completion_tokens":4,"prompt_tokens_details":{"cached_tokens":6},)"
      R"("completion_tokens_details":{"reasoning_tokens":3}}})");
  EXPECT_TRUE(chat.json_valid);
  EXPECT_EQ(chat.usage, (TokenUsage{10, 6, 4, 3}));
  const auto responses = read(
      R"({"usage":{"input_tokens":10,"output_tokens":4,"input_tokens_details":{"cached_tokens":6}}})");
  EXPECT_EQ(responses.usage, (TokenUsage{10, 6, 4, 0}));
}

TEST(AnswerReader, NonsenseUsageCountsNothing) {
  for (const std::string usage :
       {R"("many")", R"({"prompt_tokens":-5,"completion_tokens":"7"})",
        R"({"prompt_tokens":9223372036854775808})", R"({"prompt_tokens":1.5})", "null", "[]"}) {
    const auto facts = read(R"({"usage":)" + usage + "}");
    EXPECT_TRUE(facts.json_valid) << usage;
    EXPECT_EQ(facts.usage, TokenUsage{}) << usage;
  }
  const auto too_many_cached =
      read(R"({"usage":{"prompt_tokens":3,"prompt_tokens_details":{"cached_tokens":9}}})");
  EXPECT_EQ(too_many_cached.usage.cached_input, 3u);
}

TEST(AnswerReader, ValidityIsTheGrammars) {
  EXPECT_TRUE(read("[]").json_valid);
  EXPECT_TRUE(read("{\"seed\":1000000000000000000000000000000}\n").json_valid);
  EXPECT_FALSE(read("").json_valid);
  EXPECT_FALSE(read("<html>").json_valid);
  EXPECT_FALSE(read(R"({"cut":"of)").json_valid);
}

TEST(AnswerReader, BillsAnswersThatHoldNumbersOfAnySize) {
  const auto facts = read(
      R"( {"big":1000000000000000000000000000000,"usage" : {"prompt_tokens":1,"completion_tokens":2}})");
  EXPECT_TRUE(facts.json_valid);
  EXPECT_EQ(facts.usage, (TokenUsage{1, 0, 2, 0}));
  EXPECT_EQ(read(R"({"big":1e999})").usage, TokenUsage{});
  EXPECT_TRUE(read("1e999").json_valid);
}

TEST(AnswerReader, LeavesTheBodyAlone) {
  std::string body = "  {\"a\" : 1.0}\n";
  AnswerReader().read(body);
  EXPECT_EQ(body, "  {\"a\" : 1.0}\n");
}

}  // namespace
}  // namespace offpeak
