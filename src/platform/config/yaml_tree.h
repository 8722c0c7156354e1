// A YAML document as a plain tree with positions; yaml-cpp stays behind it. Only what a
// configuration needs: no anchors, aliases, tags, duplicate keys or second document, bounded size
// and depth.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace offpeak {

inline constexpr std::size_t kYamlBytesMax = 1 << 20;
inline constexpr int kYamlDepthMax = 16;

struct YamlNode {
  enum class Kind { null, scalar, sequence, map };

  Kind kind = Kind::null;
  int line = 0;  // 1-based; 0 for a value that did not come from a document
  int column = 0;
  std::string scalar = {};
  std::vector<YamlNode> keys = {};   // of a map, one per item
  std::vector<YamlNode> items = {};  // of a sequence or map

  static YamlNode text(std::string value) {
    return {.kind = Kind::scalar, .scalar = std::move(value)};
  }
};

struct YamlProblem {
  int line = 0;
  int column = 0;
  std::string message;
};

struct YamlTree {
  YamlNode root;                      // null for an empty document
  std::vector<YamlProblem> problems;  // root is usable only where this is empty
};

YamlTree parse_yaml(std::string_view text);

}  // namespace offpeak
