// The table of settings: the only place where a setting's name, help and bounds are declared.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "platform/config/config.h"
#include "platform/config/yaml_tree.h"

namespace offpeak {

struct Problem {
  int line = 0;
  int column = 0;
  std::string message;
};
using Problems = std::vector<Problem>;

/// One setting of a Target (Config, or one entry of a list in it).
template <class Target>
struct Setting {
  std::string name;  // dotted path: "engine.slots"
  std::string help;
  std::string accepts;  // completes "must be …"
  std::string fallback =
      {};  // how the reference shows the default, where rendering it would not do
  std::function<void(Target&, const YamlNode&, Problems&)> assign = {};
  std::function<std::string(const Target&)> render = {};
};

/// In the order of the reference. Assigning limits.profile sets every other limit too, so it comes
/// before them and callers assign in this order.
std::span<const Setting<Config>> config_settings();

std::span<const Setting<UpstreamConfig>> upstream_settings();

/// Assigns every member of `map`; unknown members and wrong values go to `problems`.
void assign_upstream(UpstreamConfig& upstream, const YamlNode& map, Problems& problems);

/// "unknown setting 'x' in 'engine': did you mean 'y'?"
std::string unknown_setting(std::string_view name, std::string_view where,
                            std::span<const std::string> known);

}  // namespace offpeak
