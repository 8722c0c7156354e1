#include <fmt/format.h>

#include <iterator>

#include "platform/config/config.h"
#include "platform/config/settings.h"

namespace offpeak {
namespace {

constexpr std::string_view kIntroduction = R"(# Configuration

<!-- Generated from src/platform/config/settings.cc; a unit test compares. Do not edit. -->

`offpeak serve` needs no configuration. A value comes from, strongest first:

1. a command-line flag (`--listen`, `--data-dir`, `--engine`),
2. the environment: `OFFPEAK_` and the setting's name in capitals, `__` for each dot
   (`engine.slots` is `OFFPEAK_ENGINE__SLOTS`); an empty value counts as unset,
3. the YAML file named by `--config` or `OFFPEAK_CONFIG`,
4. the default.

Unknown settings and wrong values stop the start; all of them are reported at once, with line and
column. Durations are `500ms`, `30s`, `10m`, `1.5h`, `2d` (a bare number is seconds). Sizes are
bytes, or `200MB` (10^6), `4MiB` (2^20), `unlimited`. Anchors, aliases, tags and several documents
in one file are refused.

```yaml
listen: 127.0.0.1:2424
upstreams:
  - name: gpu-a
    base_url: http://10.0.0.7:8000/v1
    aliases: {gpt-4o-mini: Qwen/Qwen3-8B}
    max_concurrency: 128
    timeout: 10m
    api_key_env: GPU_A_KEY
limits:
  profile: openai
  rows: 200000
```
)";

std::string cell(std::string_view text) {
  return text.empty() ? "" : fmt::format("`{}`", text);
}

template <class Target>
void add_table(std::string& out, std::span<const Setting<Target>> settings,
               std::string_view section) {
  out += "\n| setting | default | accepts | meaning |\n| --- | --- | --- | --- |\n";
  const Target defaults{};
  for (const auto& setting : settings) {
    const auto dot = setting.name.find('.');
    if (dot != std::string::npos ? setting.name.substr(0, dot) != section : !section.empty()) {
      continue;
    }
    const auto value = !setting.fallback.empty() ? setting.fallback
                       : setting.render          ? cell(setting.render(defaults))
                                                 : std::string{};
    fmt::format_to(std::back_inserter(out), "| `{}` | {} | {} | {} |\n", setting.name, value,
                   setting.accepts, setting.help);
  }
}

}  // namespace

std::string configuration_reference() {
  std::string out(kIntroduction);
  out += "\n## Top level\n";
  add_table(out, config_settings(), "");
  std::string last;
  for (const auto& setting : config_settings()) {
    if (setting.name == "upstreams") {
      out += "\n## upstreams: one entry\n";
      add_table(out, upstream_settings(), "");
      continue;
    }
    const auto dot = setting.name.find('.');
    if (dot == std::string::npos || setting.name.substr(0, dot) == last) continue;
    last = setting.name.substr(0, dot);
    fmt::format_to(std::back_inserter(out), "\n## {}\n", last);
    add_table(out, config_settings(), last);
  }
  return out;
}

}  // namespace offpeak
