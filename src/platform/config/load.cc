#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <tuple>
#include <utility>

#include "platform/config/config.h"
#include "platform/config/settings.h"
#include "platform/config/suggest.h"

namespace offpeak {
namespace {

constexpr std::string_view kPrefix = "OFFPEAK_";
// Read by the client commands, not by the server.
constexpr std::string_view kClientVariables[] = {"OFFPEAK_API_KEY", "OFFPEAK_BASE_URL",
                                                 "OFFPEAK_CONFIG"};

const Setting<Config>* find_setting(std::string_view name) {
  const auto settings = config_settings();
  const auto found = std::ranges::find(settings, name, &Setting<Config>::name);
  return found == settings.end() ? nullptr : &*found;
}

std::string variable_of(std::string_view setting) {
  std::string name(kPrefix);
  for (const char c : setting) {
    if (c == '.') {
      name += "__";
    } else {
      name += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    }
  }
  return name;
}

/// One value for one setting, waiting to be assigned.
struct Given {
  std::string source;
  const Setting<Config>* setting = nullptr;
  YamlNode value;
};

class Loader {
 public:
  explicit Loader(const ConfigSources& sources) : sources_(sources) {}

  std::expected<Config, std::vector<ConfigError>> load() {
    const auto file = config_file();
    if (!file.empty()) read_file(file);
    sort_errors();
    read_environment();
    read_flags();

    Config config;
    config.data_dir = default_data_dir(sources_.environment);
    for (const auto& setting : config_settings()) {
      for (const auto& given : given_) {
        if (given.setting == &setting) assign(config, given);
      }
    }
    config.limits.line_bytes = std::min(config.limits.line_bytes, kLineBytesMax);
    check(config);
    if (!errors_.empty()) {
      sort_errors();
      return std::unexpected(std::move(errors_));
    }
    return config;
  }

 private:
  std::filesystem::path config_file() const {
    if (!sources_.file.empty()) return sources_.file;
    const auto variable = sources_.environment.find("OFFPEAK_CONFIG");
    return variable == sources_.environment.end() ? "" : variable->second;
  }

  void error(std::string source, int line, int column, std::string message) {
    if (std::ranges::find(order_, source) == order_.end()) order_.push_back(source);
    errors_.push_back({std::move(source), line, column, std::move(message)});
  }

  // By source in the order they were read, then by place.
  void sort_errors() {
    const auto rank = [this](const ConfigError& one) {
      return std::tuple(std::ranges::find(order_, one.source) - order_.begin(), one.line,
                        one.column, std::string_view(one.message));
    };
    std::ranges::sort(errors_, {}, rank);
  }

  void read_file(const std::filesystem::path& file) {
    const auto name = file.string();
    order_.push_back(name);
    std::ifstream stream(file, std::ios::binary);
    std::string text;
    if (stream) {
      text.resize(kYamlBytesMax + 1);
      stream.read(text.data(), static_cast<std::streamsize>(text.size()));
      text.resize(static_cast<std::size_t>(stream.gcount()));
    }
    if (!stream.eof() && (stream.bad() || text.empty())) {
      error(name, 0, 0, fmt::format("cannot be read: {}", std::strerror(errno)));
      return;
    }
    if (const auto tree = parse_document(name, text)) add_section(name, *tree, "");
  }

  std::optional<YamlNode> parse_document(const std::string& source, std::string_view text) {
    auto tree = parse_yaml(text);
    for (auto& problem : tree.problems) {
      error(source, problem.line, problem.column, std::move(problem.message));
    }
    if (!tree.problems.empty()) return std::nullopt;
    return std::move(tree.root);
  }

  void add_section(const std::string& source, const YamlNode& node, const std::string& section) {
    if (node.kind == YamlNode::Kind::null) return;
    if (node.kind != YamlNode::Kind::map) {
      error(source, node.line, node.column,
            section.empty() ? "must be a list of 'setting: value' lines"
                            : fmt::format("'{}' must be a section of settings", section));
      return;
    }
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      const auto& key = node.keys[i];
      const auto path = section.empty() ? key.scalar : fmt::format("{}.{}", section, key.scalar);
      if (const auto* setting = find_setting(path)) {
        given_.push_back({source, setting, node.items[i]});
      } else if (section.empty() && is_section(key.scalar)) {
        add_section(source, node.items[i], key.scalar);
      } else {
        error(source, key.line, key.column,
              unknown_setting(key.scalar, section, members_of(section)));
      }
    }
  }

  static bool is_section(std::string_view name) {
    return std::ranges::any_of(config_settings(), [&](const auto& setting) {
      return setting.name.starts_with(fmt::format("{}.", name));
    });
  }

  static std::vector<std::string> members_of(const std::string& section) {
    std::vector<std::string> names;
    const auto prefix = section.empty() ? std::string{} : section + ".";
    for (const auto& setting : config_settings()) {
      if (!setting.name.starts_with(prefix)) continue;
      const auto rest = setting.name.substr(prefix.size());
      const auto name = rest.substr(0, rest.find('.'));
      if (names.empty() || names.back() != name) names.push_back(name);
    }
    return names;
  }

  void read_environment() {
    std::vector<std::string> known;
    for (const auto& setting : config_settings()) known.push_back(variable_of(setting.name));
    for (const auto& [name, value] : sources_.environment) {
      if (!name.starts_with(kPrefix) || value.empty()) continue;
      if (std::ranges::find(kClientVariables, name) != std::end(kClientVariables)) continue;
      const auto source = fmt::format("environment {}", name);
      const auto found = std::ranges::find(known, name);
      if (found != known.end()) {
        add_text(source, &config_settings()[static_cast<std::size_t>(found - known.begin())],
                 value);
      } else if (name.find("__") != std::string::npos || nearest(name, known)) {
        const auto near = nearest(name, known);
        error(source, 0, 0,
              near ? fmt::format("unknown setting: did you mean {}?", *near)
                   : "unknown setting: the form is OFFPEAK_SECTION__KEY");
      }
    }
  }

  void read_flags() {
    for (const auto& flag : sources_.flags) {
      if (const auto* setting = find_setting(flag.setting)) {
        add_text(flag.flag, setting, flag.value);
      } else {
        std::vector<std::string> known;
        for (const auto& one : config_settings()) known.push_back(one.name);
        error(flag.flag, 0, 0, unknown_setting(flag.setting, "", known));
      }
    }
  }

  void add_text(const std::string& source, const Setting<Config>* setting,
                const std::string& text) {
    if (setting->render) {
      given_.push_back({source, setting, YamlNode::text(text)});
    } else if (const auto tree = parse_document(source, text)) {
      given_.push_back({source, setting, *tree});
    }
  }

  void assign(Config& config, const Given& given) {
    Problems problems;
    given.setting->assign(config, given.value, problems);
    for (auto& problem : problems) {
      error(given.source, problem.line, problem.column, std::move(problem.message));
    }
    place_[given.setting->name] = &given;
  }

  void check(const Config& config) {
    if (config.retry.base_delay > config.retry.max_delay) {
      const auto* at = place_.contains("retry.base_delay") ? place_["retry.base_delay"]
                                                           : place_["retry.max_delay"];
      error(at->source, at->value.line, at->value.column,
            "'retry.base_delay' must not be longer than 'retry.max_delay'");
    }
  }

  const ConfigSources& sources_;
  std::vector<Given> given_;
  std::vector<ConfigError> errors_;
  std::vector<std::string> order_;
  std::map<std::string, const Given*> place_;
};

}  // namespace

std::string to_string(const ConfigError& error) {
  if (error.line == 0) return fmt::format("{}: {}", error.source, error.message);
  return fmt::format("{}:{}:{}: {}", error.source, error.line, error.column, error.message);
}

std::map<std::string, std::string> process_environment() {
  std::map<std::string, std::string> environment;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const auto equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    environment.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return environment;
}

std::filesystem::path default_data_dir(const std::map<std::string, std::string>& environment) {
  const auto get = [&](const char* name) {
    const auto found = environment.find(name);
    return found == environment.end() ? std::string{} : found->second;
  };
  // The XDG specification: a relative path is invalid and ignored.
  if (const auto xdg = get("XDG_DATA_HOME"); xdg.starts_with('/')) {
    return std::filesystem::path(xdg) / "offpeak";
  }
  if (const auto home = get("HOME"); !home.empty()) {
    return std::filesystem::path(home) / ".local/share/offpeak";
  }
  return "offpeak-data";
}

std::expected<Config, std::vector<ConfigError>> load_config(const ConfigSources& sources) {
  return Loader(sources).load();
}

Result<std::optional<std::string>> read_api_key(
    const UpstreamConfig& upstream, const std::map<std::string, std::string>& environment) {
  if (!upstream.api_key_env.empty()) {
    const auto found = environment.find(upstream.api_key_env);
    if (found == environment.end() || found->second.empty()) {
      return fail(ErrorKind::invalid_request,
                  fmt::format("the upstream '{}' takes its key from the environment variable {}, "
                              "which is not set: export it, or remove api_key_env",
                              upstream.name, upstream.api_key_env));
    }
    return found->second;
  }
  if (upstream.api_key_file.empty()) return std::nullopt;
  std::ifstream stream(upstream.api_key_file);
  std::string key;
  if (!std::getline(stream, key) || key.empty()) {
    return fail(ErrorKind::invalid_request,
                fmt::format("the key of the upstream '{}' cannot be read from {}: it must be the "
                            "file's first line",
                            upstream.name, upstream.api_key_file.string()));
  }
  while (!key.empty() && (key.back() == '\r' || key.back() == ' ')) key.pop_back();
  return key;
}

}  // namespace offpeak
