#include "platform/config/yaml_tree.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <optional>
#include <sstream>
#include <utility>

namespace offpeak {
namespace {

struct TooDeep {
  YAML::Mark mark;
};

class TreeBuilder final : public YAML::EventHandler {
 public:
  explicit TreeBuilder(YamlTree& tree) : tree_(tree) {}

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    refuse_anchor(mark, anchor);
    finish(make(YamlNode::Kind::null, mark));
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    problem(mark, "aliases (*name) are not supported: write the value out");
    finish(make(YamlNode::Kind::null, mark));
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    refuse_anchor(mark, anchor);
    refuse_tag(mark, tag);
    const bool quoted = tag == "!";
    const bool null = !quoted && (value.empty() || value == "~" || value == "null");
    auto node = make(null ? YamlNode::Kind::null : YamlNode::Kind::scalar, mark);
    node.scalar = value;
    finish(std::move(node));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(YamlNode::Kind::sequence, mark, tag, anchor);
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(YamlNode::Kind::map, mark, tag, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  static YamlNode make(YamlNode::Kind kind, const YAML::Mark& mark) {
    return {.kind = kind, .line = mark.line + 1, .column = mark.column + 1};
  }

  void problem(const YAML::Mark& mark, std::string message) {
    tree_.problems.push_back({mark.line + 1, mark.column + 1, std::move(message)});
  }

  void refuse_anchor(const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (anchor != 0) problem(mark, "anchors (&name) are not supported: write the value out");
  }

  void refuse_tag(const YAML::Mark& mark, const std::string& tag) {
    if (!tag.empty() && tag != "?" && tag != "!") {
      problem(mark, fmt::format("the tag '{}' is not supported: remove it", tag));
    }
  }

  void open(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag,
            YAML::anchor_t anchor) {
    refuse_anchor(mark, anchor);
    refuse_tag(mark, tag);
    if (open_.size() == kYamlDepthMax) throw TooDeep{mark};
    open_.push_back(make(kind, mark));
  }

  void close() {
    YamlNode node = std::move(open_.back());
    open_.pop_back();
    finish(std::move(node));
  }

  void finish(YamlNode node) {
    if (open_.empty()) {
      tree_.root = std::move(node);
      return;
    }
    YamlNode& parent = open_.back();
    const bool is_key =
        parent.kind == YamlNode::Kind::map && parent.keys.size() == parent.items.size();
    if (is_key) {
      add_key(parent, std::move(node));
      return;
    }
    // yaml-cpp gives an absent value the place of whatever token comes next.
    if (node.kind == YamlNode::Kind::null && parent.kind == YamlNode::Kind::map) {
      node.line = parent.keys.back().line;
      node.column = parent.keys.back().column;
    }
    parent.items.push_back(std::move(node));
  }

  void add_key(YamlNode& map, YamlNode key) {
    if (key.kind != YamlNode::Kind::scalar) {
      tree_.problems.push_back({key.line, key.column, "a key must be a word"});
    }
    const auto same = [&](const YamlNode& other) { return other.scalar == key.scalar; };
    if (const auto first = std::ranges::find_if(map.keys, same); first != map.keys.end()) {
      tree_.problems.push_back(
          {key.line, key.column,
           fmt::format("'{}' is set twice (first at line {}): keep one", key.scalar, first->line)});
    }
    map.keys.push_back(std::move(key));
  }

  YamlTree& tree_;
  std::vector<YamlNode> open_;
};

void parse_into(YamlTree& tree, std::string_view text) {
  std::istringstream stream{std::string(text)};
  YAML::Parser parser(stream);
  TreeBuilder builder(tree);
  if (!parser.HandleNextDocument(builder)) return;
  YamlTree second;
  TreeBuilder second_builder(second);
  if (parser.HandleNextDocument(second_builder)) {
    tree.problems.push_back({std::max(1, second.root.line), std::max(1, second.root.column),
                             "only one YAML document per file: remove the second one"});
  }
}

}  // namespace

YamlTree parse_yaml(std::string_view text) {
  YamlTree tree;
  if (text.size() > kYamlBytesMax) {
    tree.problems.push_back({1, 1, fmt::format("larger than {} bytes", kYamlBytesMax)});
    return tree;
  }
  try {
    parse_into(tree, text);
  } catch (const TooDeep& deep) {
    tree.problems.push_back({deep.mark.line + 1, deep.mark.column + 1,
                             fmt::format("nested deeper than {} levels", kYamlDepthMax)});
  } catch (const YAML::Exception& error) {
    tree.problems.push_back(
        {error.mark.line + 1, error.mark.column + 1, fmt::format("not valid YAML: {}", error.msg)});
  }
  return tree;
}

}  // namespace offpeak
