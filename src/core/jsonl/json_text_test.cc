#include "core/jsonl/json_text.h"

#include <gtest/gtest.h>

namespace offpeak {
namespace {

bool valid(std::string text) {
  const auto length = text.size();
  text.append(kJsonPadding, '\0');
  JsonValidator validator;
  return validator.valid(std::string_view(text).substr(0, length));
}

struct JsonCase {
  std::string text;
  bool valid;
};

class JsonValidity : public testing::TestWithParam<JsonCase> {};

TEST_P(JsonValidity, AgreesWithTheGrammar) {
  EXPECT_EQ(valid(GetParam().text), GetParam().valid) << GetParam().text;
  EXPECT_EQ(matches_json_grammar(GetParam().text), GetParam().valid) << GetParam().text;
}

INSTANTIATE_TEST_SUITE_P(
    Texts, JsonValidity,
    testing::Values(JsonCase{R"({"a":[1,2.5e-3,true,false,null,"x\u00e9\n"]})", true},
                    JsonCase{"  {}\r", true}, JsonCase{"0", true}, JsonCase{"-0.0E+1", true},
                    JsonCase{R"({"seed":1000000000000000000000000000000})", true},
                    JsonCase{"1e999", true}, JsonCase{R"("\ud800")", true},
                    JsonCase{"\"\xC3\xA9\"", true}, JsonCase{"", false}, JsonCase{" ", false},
                    JsonCase{"01", false}, JsonCase{"NaN", false}, JsonCase{"[1,]", false},
                    JsonCase{"{} {}", false}, JsonCase{"tru", false}, JsonCase{"[1 2]", false},
                    JsonCase{"\"\xFF\"", false}, JsonCase{"\xEF\xBB\xBF{}", false},
                    JsonCase{"\"\x01\"", false}, JsonCase{R"("\x")", false},
                    JsonCase{R"("\u12G4")", false}, JsonCase{R"({"a" 1})", false},
                    JsonCase{R"({"a":1,})", false}, JsonCase{"+1", false}, JsonCase{"1.", false},
                    JsonCase{"\"open", false}, JsonCase{"{", false}, JsonCase{"-", false},
                    JsonCase{std::string(2000, '[') + std::string(2000, ']'), false}));

TEST(JsonString, DecodesEscapes) {
  EXPECT_EQ(decode_json_string(R"("a\u0062\"\ud83d\ude00")"), "ab\"😀");
  EXPECT_EQ(decode_json_string(R"("plain")"), "plain");
  EXPECT_EQ(decode_json_string(R"("\ud800")"), std::nullopt);
}

TEST(JsonString, EncodesAnyBytesAsValidJson) {
  for (const std::string text : {"plain", "q\"\\\n\x01", "bad\xFFutf8\xC3", "é"}) {
    EXPECT_TRUE(valid(encode_json_string(text))) << text;
  }
  EXPECT_EQ(encode_json_string("a\xFFz"), "\"a\xEF\xBF\xBDz\"");
}

}  // namespace
}  // namespace offpeak
