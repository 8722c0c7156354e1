#include "platform/meta/record_json.h"

#include <gtest/gtest.h>

namespace offpeak {
namespace {

TEST(RecordJson, HasTheDocumentedShape) {
  EXPECT_EQ(metadata_to_json({{"b", "1"}, {"a", "\"2\""}}), R"([["b","1"],["a","\"2\""]])");
  EXPECT_EQ(metadata_to_json({}), "[]");
  EXPECT_EQ(extents_to_json({{BlobKey("j/1"), 5}}), R"([{"blob":"j/1","bytes":5}])");
  EXPECT_EQ(errors_to_json({{.code = "c", .message = "m", .param = "", .line = 3}}),
            R"([{"code":"c","message":"m","param":"","line":3}])");
}

TEST(RecordJson, DamageIsSaidNotThrown) {
  for (const char* text : {"", "{}", "[", "[1]", "[[1]]", R"([["a"]])", R"([{"blob":1}])"}) {
    EXPECT_EQ(metadata_from_json(text).error().kind, ErrorKind::internal) << text;
    EXPECT_EQ(extents_from_json(text).error().kind, ErrorKind::internal) << text;
    EXPECT_EQ(errors_from_json(text).error().kind, ErrorKind::internal) << text;
  }
}

}  // namespace
}  // namespace offpeak
