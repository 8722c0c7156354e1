#include "pipeline/relay/model_field.h"

#include <gmock/gmock.h>

namespace offpeak {
namespace {

constexpr std::string_view kJson = "application/json";
constexpr std::string_view kForm = "multipart/form-data; boundary=b";

class ModelFieldTest : public testing::Test {
 protected:
  Result<ModelField> find(std::string text, std::string_view type = kJson) {
    body = std::move(text);
    return find_model(body, type, validator);
  }
  std::string error(std::string text, std::string_view type = kJson) {
    const auto found = find(std::move(text), type);
    return found ? "no error" : found.error().message;
  }

  std::string body;
  JsonValidator validator;
};

TEST_F(ModelFieldTest, FindsTheMemberOfTheOutermostObject) {
  const auto found = find(R"( {"a":{"model":"x"},"b":["model"],"model" : "gpt\u002d4" } )");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->name, "gpt-4");
  EXPECT_EQ(found->value, R"("gpt\u002d4")");
  EXPECT_EQ(found->value.data(), body.data() + body.find(R"("gpt)"));
  EXPECT_EQ(found->spelled("a\"b"), R"("a\"b")");
}

TEST_F(ModelFieldTest, FindsAKeyThatIsSpelledWithEscapes) {
  EXPECT_EQ(find(R"({"mod\u0065l":"m"})")->name, "m");
}

TEST_F(ModelFieldTest, ABodyMayNameNone) {
  for (const auto* text : {"{}", R"({"messages":[]})", R"({"model":null})"}) {
    const auto found = find(text);
    ASSERT_TRUE(found) << text;
    EXPECT_EQ(found->name, "");
    EXPECT_TRUE(found->value.empty());
  }
}

TEST_F(ModelFieldTest, RefusesWhatIsNoObject) {
  for (const auto* text : {"", "[]", "5", "{", R"({"model":"m"}})", R"({"model":01})", "{}{}",
                           "{\"model\":\"\xff\"}", "model=m"}) {
    EXPECT_THAT(error(text), testing::StartsWith("We could not parse the JSON body")) << text;
  }
}

TEST_F(ModelFieldTest, RefusesAModelThatIsNoStringOrTwo) {
  EXPECT_EQ(error(R"({"model":5})"),
            "Invalid type for 'model': expected a string, but got a number instead.");
  EXPECT_EQ(error(R"({"model":["m"]})"),
            "Invalid type for 'model': expected a string, but got an array instead.");
  EXPECT_EQ(error(R"({"model":"a","mod\u0065l":"b"})"), "The parameter 'model' is given twice.");
}

std::string part(std::string_view disposition, std::string_view value) {
  return "--b\r\nContent-Disposition: form-data; " + std::string(disposition) + "\r\n\r\n" +
         std::string(value) + "\r\n";
}

TEST_F(ModelFieldTest, FindsTheFieldOfAForm) {
  const auto found =
      find(part("name=\"model\"; filename=\"model\"", "not this") + part("name=\"prompt\"", "hi") +
               part("name=\"model\"", "a\r\nb") + "--b--\r\n",
           kForm);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->name, "a\r\nb");
  EXPECT_EQ(found->value.data(), body.data() + body.find("a\r\nb"));
  EXPECT_EQ(found->spelled("a\"b"), "a\"b");
}

TEST_F(ModelFieldTest, AFormMayNameNone) {
  EXPECT_EQ(find(part("name=\"prompt\"", "hi") + "--b--", kForm)->name, "");
  EXPECT_TRUE(find(part("name=\"model\"", "") + "--b--", kForm)->value.empty());
}

TEST_F(ModelFieldTest, RefusesFormsThatAreNotWholeOrNameTwo) {
  EXPECT_THAT(error(part("name=\"model\"", "m"), kForm), testing::HasSubstr("closing boundary"));
  EXPECT_EQ(error(part("name=\"model\"", "m") + part("name=\"model\"", "m") + "--b--", kForm),
            "The parameter 'model' is given twice.");
}

}  // namespace
}  // namespace offpeak
