#include "platform/config/yaml_tree.h"

#include <gtest/gtest.h>

namespace offpeak {
namespace {

TEST(ParseYaml, KeepsPositions) {
  const auto tree = parse_yaml("a:\n  b: 1\n  c: [x, 'null']\n");
  ASSERT_TRUE(tree.problems.empty());
  const auto& section = tree.root.items.at(0);
  EXPECT_EQ(tree.root.keys.at(0).scalar, "a");
  EXPECT_EQ(section.keys.at(1).line, 3);
  EXPECT_EQ(section.keys.at(1).column, 3);
  const auto& list = section.items.at(1);
  EXPECT_EQ(list.items.at(1).kind, YamlNode::Kind::scalar);
  EXPECT_EQ(list.items.at(1).column, 10);
}

TEST(ParseYaml, PlacesAnAbsentValueAtItsKey) {
  const auto tree = parse_yaml("a:\n\n\nb: 1\n");
  EXPECT_EQ(tree.root.items.at(0).kind, YamlNode::Kind::null);
  EXPECT_EQ(tree.root.items.at(0).line, 1);
}

TEST(ParseYaml, EmptyDocumentsAreNull) {
  for (const char* text : {"", "# only a comment\n", "---\n"}) {
    const auto tree = parse_yaml(text);
    EXPECT_TRUE(tree.problems.empty()) << text;
    EXPECT_EQ(tree.root.kind, YamlNode::Kind::null) << text;
  }
}

struct Refused {
  std::string text;
  int line;
  int column;
  const char* says;
};

class RefusedYaml : public testing::TestWithParam<Refused> {};

TEST_P(RefusedYaml, SaysWhere) {
  const auto tree = parse_yaml(GetParam().text);
  ASSERT_FALSE(tree.problems.empty());
  EXPECT_EQ(tree.problems[0].line, GetParam().line);
  EXPECT_EQ(tree.problems[0].column, GetParam().column);
  EXPECT_NE(tree.problems[0].message.find(GetParam().says), std::string::npos)
      << tree.problems[0].message;
}

INSTANTIATE_TEST_SUITE_P(
    All, RefusedYaml,
    testing::Values(Refused{"a: 1\nb: 2\na: 3\n", 3, 1, "set twice (first at line 1)"},
                    Refused{"a: &x 1\n", 1, 4, "anchors"},
                    Refused{"a: 1\nb: *x\n", 2, 4, "anchor is not defined"},
                    Refused{"a: 1\n---\nb: 2\n", 3, 1, "only one YAML document"},
                    Refused{"a: !!binary xx\n", 1, 4, "tag"},
                    Refused{"a: [1, 2\nb: 3\n", 2, 2, "not valid YAML"},
                    Refused{"a: {b: 1, b: 2}\n", 1, 11, "set twice"},
                    Refused{"[a, b]: 1\n", 1, 1, "a key must be a word"},
                    Refused{std::string(100'000, '['), 1, 9, "deeper than 16"},
                    Refused{std::string(kYamlBytesMax + 1, ' '), 1, 1, "larger than"}));

}  // namespace
}  // namespace offpeak
