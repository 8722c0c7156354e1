#include "platform/config/model_limits.h"

#include <fmt/format.h>

#include <array>
#include <string>

#include "platform/config/setting_kinds.h"

namespace offpeak {
namespace {

const std::array<std::string, 2> kNames = {"enqueued_tokens", "enqueued_requests"};

void assign_one(EnqueuedConfig& limits, const std::string& model, const YamlNode& section,
                Problems& problems) {
  const std::string where = fmt::format("limits.per_model.{}", model);
  if (section.kind != YamlNode::Kind::map) {
    problems.push_back(
        {section.line, section.column, fmt::format("'{}' must be a section of limits", where)});
    return;
  }
  const CountKind kind;
  for (std::size_t i = 0; i < section.items.size(); ++i) {
    const YamlNode& key = section.keys[i];
    const YamlNode& value = section.items[i];
    if (key.scalar != kNames[0] && key.scalar != kNames[1]) {
      problems.push_back({key.line, key.column, unknown_setting(key.scalar, where, kNames)});
      continue;
    }
    const auto count = value.kind == YamlNode::Kind::scalar
                           ? kind.parse(value.scalar)
                           : Parsed<std::uint64_t>(std::unexpected(kind.describe()));
    if (!count) {
      problems.push_back({value.line, value.column,
                          fmt::format("'{}.{}' must be {}", where, key.scalar, count.error())});
      continue;
    }
    (key.scalar == kNames[0] ? limits.tokens : limits.requests) = *count;
  }
}

}  // namespace

void assign_model_limits(LimitsConfig& limits, const YamlNode& node, Problems& problems) {
  if (node.kind != YamlNode::Kind::map) {
    problems.push_back(
        {node.line, node.column, fmt::format("'limits.per_model' must be {}", kModelLimitsForm)});
    return;
  }
  limits.per_model.clear();
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    const std::string& model = node.keys[i].scalar;
    EnqueuedConfig own = limits.enqueued;
    assign_one(own, model, node.items[i], problems);
    limits.per_model.insert_or_assign(model, own);
  }
}

}  // namespace offpeak
