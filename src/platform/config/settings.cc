#include "platform/config/settings.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <type_traits>
#include <utility>

#include "platform/config/model_limits.h"
#include "platform/config/setting_kinds.h"
#include "platform/config/suggest.h"

namespace offpeak {
namespace {

using namespace std::chrono_literals;

std::string wrong_value(const std::string& name, const std::string& accepts, const YamlNode& node,
                        bool secret) {
  switch (node.kind) {
    case YamlNode::Kind::null:
      return fmt::format("'{}' has no value: it must be {}", name, accepts);
    case YamlNode::Kind::sequence:
      return fmt::format("'{}' must be {}, but is a list", name, accepts);
    case YamlNode::Kind::map:
      return fmt::format("'{}' must be {}, but is a section", name, accepts);
    case YamlNode::Kind::scalar:
      break;
  }
  if (secret) return fmt::format("'{}' must be {}", name, accepts);
  return fmt::format("'{}' must be {}, but is '{}'", name, accepts, node.scalar);
}

/// `access` maps a Target& (const or not) to the member. A wrong value leaves the member alone.
template <class Target, class Kind, class Access>
Setting<Target> setting(std::string name, Kind kind, Access access, std::string help) {
  Setting<Target> made{.name = name, .help = std::move(help), .accepts = kind.describe()};
  made.assign = [=](Target& target, const YamlNode& node, Problems& problems) {
    if (node.kind != YamlNode::Kind::scalar) {
      problems.push_back({node.line, node.column, wrong_value(name, kind.describe(), node, false)});
      return;
    }
    auto value = kind.parse(node.scalar);
    if (value) {
      access(target) = std::move(*value);
    } else {
      // A key pasted where its variable's name belongs, or a password in a URL: never shown again.
      const bool secret = std::is_same_v<Kind, VariableKind> || node.scalar.contains('@');
      problems.push_back({node.line, node.column, wrong_value(name, value.error(), node, secret)});
    }
  };
  made.render = [=](const Target& target) { return kind.render(access(target)); };
  return made;
}

#define OFFPEAK_MEMBER(path) [](auto& target) -> auto& { return target.path; }

void assign_list(std::vector<std::string>& list, const YamlNode& node, const std::string& name,
                 Problems& problems) {
  if (node.kind != YamlNode::Kind::sequence) {
    problems.push_back({node.line, node.column, wrong_value(name, "a list of names", node, false)});
    return;
  }
  list.clear();
  for (const auto& item : node.items) {
    if (item.kind != YamlNode::Kind::scalar || item.scalar.empty()) {
      problems.push_back({item.line, item.column, fmt::format("'{}' must list names", name)});
      continue;
    }
    list.push_back(item.scalar);
  }
}

void assign_map(std::map<std::string, std::string>& map, const YamlNode& node,
                const std::string& name, Problems& problems) {
  const std::string accepts = "a section of 'public name: served model'";
  if (node.kind != YamlNode::Kind::map) {
    problems.push_back({node.line, node.column, wrong_value(name, accepts, node, false)});
    return;
  }
  map.clear();
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    const auto& value = node.items[i];
    if (value.kind != YamlNode::Kind::scalar || value.scalar.empty()) {
      problems.push_back(
          {value.line, value.column,
           fmt::format("the alias '{}' must name a served model", node.keys[i].scalar)});
      continue;
    }
    map[node.keys[i].scalar] = value.scalar;
  }
}

void assign_upstreams(std::vector<UpstreamConfig>& upstreams, const YamlNode& node,
                      Problems& problems) {
  if (node.kind != YamlNode::Kind::sequence) {
    problems.push_back({node.line, node.column,
                        wrong_value("upstreams", "a list of '- name: …' entries", node, false)});
    return;
  }
  upstreams.clear();
  for (const auto& item : node.items) {
    UpstreamConfig upstream;
    assign_upstream(upstream, item, problems);
    for (const auto& other : upstreams) {
      if (!upstream.name.empty() && other.name == upstream.name) {
        problems.push_back(
            {item.line, item.column,
             fmt::format("two upstreams are named '{}': names must be unique", upstream.name)});
      }
    }
    upstreams.push_back(std::move(upstream));
  }
}

std::vector<Setting<UpstreamConfig>> make_upstream_settings() {
  using U = UpstreamConfig;
  std::vector<Setting<U>> table;
  table.push_back(setting<U>("name", TextKind{"a name"}, OFFPEAK_MEMBER(name),
                             "Required, unique. Shown in logs and messages."));
  table.push_back(setting<U>("base_url", UrlKind{}, OFFPEAK_MEMBER(base_url),
                             "Required. An OpenAI-compatible server, with or without /v1."));
  table.push_back({.name = "models",
                   .help = "What it serves. Absent: asked by GET /v1/models.",
                   .accepts = "a list of names",
                   .fallback = "discovered",
                   .assign = [](U& target, const YamlNode& node, Problems& problems) {
                     assign_list(target.models, node, "models", problems);
                   }});
  table.push_back({.name = "aliases",
                   .help = "Public names; the request's model is replaced by the served model.",
                   .accepts = "a section of 'public name: served model'",
                   .fallback = "none",
                   .assign = [](U& target, const YamlNode& node, Problems& problems) {
                     assign_map(target.aliases, node, "aliases", problems);
                   }});
  table.push_back(setting<U>("max_concurrency", IntegerKind<int>{1, 100'000},
                             OFFPEAK_MEMBER(max_concurrency),
                             "Attempts at a time, over all batches."));
  table.push_back(setting<U>("timeout", DurationKind{1ms, 24h}, OFFPEAK_MEMBER(timeout),
                             "Of one whole attempt, the answer's last byte included."));
  table.push_back(setting<U>("api_key_env", VariableKind{}, OFFPEAK_MEMBER(api_key_env),
                             "Environment variable that holds the upstream's key."));
  table.push_back(setting<U>("api_key_file", PathKind{}, OFFPEAK_MEMBER(api_key_file),
                             "File that holds the upstream's key. Not together with api_key_env."));
  return table;
}

void add_server_settings(std::vector<Setting<Config>>& table) {
  using C = Config;
  table.push_back(setting<C>("listen", ListenKind{}, OFFPEAK_MEMBER(listen),
                             "Where the API is served; port 0 takes any free port."));
  table.push_back(setting<C>("data_dir", PathKind{}, OFFPEAK_MEMBER(data_dir),
                             "The one directory with all files, batches and keys."));
  table.back().fallback = "$XDG_DATA_HOME/offpeak or ~/.local/share/offpeak";
  table.push_back(
      setting<C>("default_model", TextKind{"the name of a model"}, OFFPEAK_MEMBER(default_model),
                 "Runs the rows whose model nobody serves. Absent: the local engine runs "
                 "them if it is the only upstream, else the batch fails "
                 "(model_not_found)."));
  table.push_back(setting<C>("log.level",
                             ChoiceKind<LogLevel>{{{"trace", LogLevel::trace},
                                                   {"debug", LogLevel::debug},
                                                   {"info", LogLevel::info},
                                                   {"warn", LogLevel::warn},
                                                   {"error", LogLevel::error},
                                                   {"off", LogLevel::off}}},
                             OFFPEAK_MEMBER(log.level), "Least severity that is logged."));
  table.push_back(setting<C>(
      "log.format",
      ChoiceKind<LogFormat>{
          {{"auto", LogFormat::automatic}, {"human", LogFormat::human}, {"json", LogFormat::json}}},
      OFFPEAK_MEMBER(log.format), "auto: human on a terminal, else json."));
}

void add_engine_settings(std::vector<Setting<Config>>& table) {
  using C = Config;
  table.push_back(setting<C>("engine.mode", EngineKind{}, OFFPEAK_MEMBER(engine.mode),
                             "The local engine. auto: started if no upstream is configured."));
  table.push_back(
      setting<C>("engine.model", PathKind{}, OFFPEAK_MEMBER(engine.model), "A GGUF file."));
  table.back().fallback = "the one installed with the engine";
  table.push_back(setting<C>("engine.slots", IntegerKind<int>{1, 1024},
                             OFFPEAK_MEMBER(engine.slots), "Requests it works on at a time."));
  table.push_back(setting<C>("engine.context", IntegerKind<int>{64, 10'000'000},
                             OFFPEAK_MEMBER(engine.context), "Tokens of context per slot."));
  table.push_back(setting<C>("engine.threads", IntegerKind<int>{0, 4096},
                             OFFPEAK_MEMBER(engine.threads), "0: as many as there are cores."));
  table.push_back(setting<C>("engine.port", IntegerKind<std::uint16_t>{0, 65'535},
                             OFFPEAK_MEMBER(engine.port), "On 127.0.0.1; 0: any free port."));
}

void add_upstreams(std::vector<Setting<Config>>& table) {
  table.push_back(
      {.name = "upstreams",
       .help = "Inference servers, see below. From the environment: as YAML on one line.",
       .accepts = "a list",
       .fallback = "none",
       .assign = [](Config& target, const YamlNode& node, Problems& problems) {
         assign_upstreams(target.upstreams, node, problems);
       }});
}

void add_limits(std::vector<Setting<Config>>& table) {
  using C = Config;
  const ChoiceKind<LimitProfile> profiles{
      {{"openai", LimitProfile::openai}, {"unlimited", LimitProfile::unlimited}}};
  table.push_back(setting<C>("limits.profile", profiles, OFFPEAK_MEMBER(limits.profile),
                             "Where the other limits start: OpenAI's figures, or none."));
  table.back().assign = [assign = table.back().assign](C& target, const YamlNode& node,
                                                       Problems& problems) {
    assign(target, node, problems);
    target.limits = limits_of(target.limits.profile);
  };
  table.push_back(
      setting<C>("limits.rows", CountKind{}, OFFPEAK_MEMBER(limits.rows), "Rows of one batch."));
  table.push_back(setting<C>("limits.file_bytes", SizeKind{}, OFFPEAK_MEMBER(limits.file_bytes),
                             "One uploaded file."));
  table.push_back(setting<C>("limits.upload_bytes", SizeKind{}, OFFPEAK_MEMBER(limits.upload_bytes),
                             "A file that comes in parts, through /v1/uploads."));
  table.push_back(setting<C>("limits.batch_file_bytes", SizeKind{},
                             OFFPEAK_MEMBER(limits.batch_file_bytes), "A batch's input file."));
  table.push_back(setting<C>("limits.line_bytes", SizeKind{}, OFFPEAK_MEMBER(limits.line_bytes),
                             "One line of an input file; 1GiB in any case."));
  table.push_back(setting<C>("limits.embedding_inputs", CountKind{},
                             OFFPEAK_MEMBER(limits.embedding_inputs),
                             "Embedding inputs over all rows of one batch."));
  table.push_back(setting<C>("limits.listed_errors", CountKind{},
                             OFFPEAK_MEMBER(limits.listed_errors),
                             "Line errors listed in a failed batch."));
  table.push_back(setting<C>("limits.enqueued_tokens", CountKind{},
                             OFFPEAK_MEMBER(limits.enqueued.tokens),
                             "Prompt tokens (estimated) in all unfinished batches of a project, "
                             "per model."));
  table.push_back(setting<C>("limits.enqueued_requests", CountKind{},
                             OFFPEAK_MEMBER(limits.enqueued.requests),
                             "Rows in all unfinished batches of a project, per model."));
  table.push_back({.name = "limits.per_model",
                   .help = "Models with an enqueued_tokens or enqueued_requests of their own.",
                   .accepts = std::string(kModelLimitsForm),
                   .fallback = "none",
                   .assign = [](C& target, const YamlNode& node, Problems& problems) {
                     assign_model_limits(target.limits, node, problems);
                   }});
}

void add_rate_limits(std::vector<Setting<Config>>& table) {
  using C = Config;
  table.push_back(setting<C>("rate_limits.requests_per_minute", CountKind{},
                             OFFPEAK_MEMBER(rate_limits.requests_per_minute),
                             "Requests of one project; more are answered with 429."));
  table.push_back(setting<C>("rate_limits.tokens_per_minute", CountKind{},
                             OFFPEAK_MEMBER(rate_limits.tokens_per_minute),
                             "Prompt tokens (estimated) of one project's synchronous requests."));
}

void add_retry_settings(std::vector<Setting<Config>>& table) {
  using C = Config;
  table.push_back(setting<C>("retry.max_attempts", IntegerKind<int>{1, 1000},
                             OFFPEAK_MEMBER(retry.max_attempts),
                             "Attempts of one row that the upstream answered with 'try later'."));
  table.push_back(setting<C>("retry.base_delay", DurationKind{1ms, 1h},
                             OFFPEAK_MEMBER(retry.base_delay), "First wait; doubled each time."));
  table.push_back(setting<C>("retry.max_delay", DurationKind{1ms, 24h},
                             OFFPEAK_MEMBER(retry.max_delay), "Longest wait."));
  table.push_back(setting<C>("retry.unreachable_timeout", DurationKind{0ms, 48h},
                             OFFPEAK_MEMBER(retry.unreachable_timeout),
                             "How long an upstream that worked before may be away before its rows "
                             "fail."));
  table.push_back(setting<C>("retry.never_reached_timeout", DurationKind{0ms, 48h},
                             OFFPEAK_MEMBER(retry.never_reached_timeout),
                             "The same for an upstream that never answered."));
}

void add_process_settings(std::vector<Setting<Config>>& table) {
  using C = Config;
  table.push_back(setting<C>("shutdown.drain_timeout", DurationKind{0ms, 1h},
                             OFFPEAK_MEMBER(shutdown.drain_timeout),
                             "How long SIGTERM waits for the attempts in flight."));
  table.push_back(setting<C>("storage.sync_interval", DurationKind{1ms, 1s},
                             OFFPEAK_MEMBER(storage.sync_interval),
                             "Results are made durable together, this often."));
  table.push_back(setting<C>("http.max_connections", IntegerKind<int>{1, 1'000'000},
                             OFFPEAK_MEMBER(http.max_connections), "Clients connected at a time."));
  table.push_back(setting<C>("http.head_timeout", DurationKind{1ms, 1h},
                             OFFPEAK_MEMBER(http.head_timeout), "To receive a request's head."));
  table.push_back(setting<C>("http.body_timeout", DurationKind{1ms, 1h},
                             OFFPEAK_MEMBER(http.body_timeout),
                             "A client that sends a body or takes a response moves at least "
                             "1 KiB in this time, or is cut."));
  table.push_back(setting<C>("http.idle_timeout", DurationKind{1ms, 24h},
                             OFFPEAK_MEMBER(http.idle_timeout), "Between two requests."));
  table.push_back(setting<C>("http.inference_body_bytes", SizeKind{},
                             OFFPEAK_MEMBER(http.inference_body_bytes),
                             "The body of a synchronous request, images included."));
}

void add_webhooks(std::vector<Setting<Config>>& table) {
  const ChoiceKind<bool> answers{{{"true", true}, {"false", false}}};
  table.push_back(setting<Config>("webhooks.allow_private_targets", answers,
                                  OFFPEAK_MEMBER(webhooks.allow_private_targets),
                                  "Whether webhooks may go to private addresses and by plain "
                                  "http."));
}

void add_prices(std::vector<Setting<Config>>& table) {
  using C = Config;
  const DecimalKind usd{1'000'000'000'000};
  table.push_back(setting<C>("prices.model", TextKind{"a name"}, OFFPEAK_MEMBER(prices.model),
                             "Whose list prices these are, for the savings that are shown."));
  table.push_back(setting<C>("prices.input", usd, OFFPEAK_MEMBER(prices.input),
                             "US dollars per million input tokens."));
  table.push_back(setting<C>("prices.cached_input", usd, OFFPEAK_MEMBER(prices.cached_input),
                             "US dollars per million cached input tokens."));
  table.push_back(setting<C>("prices.output", usd, OFFPEAK_MEMBER(prices.output),
                             "US dollars per million output tokens."));
  table.push_back(setting<C>("prices.batch_discount", DecimalKind{1'000'000},
                             OFFPEAK_MEMBER(prices.batch_discount),
                             "What a batch saves: 0.5 is half price."));
}

template <class Target>
std::vector<std::string> names_of(std::span<const Setting<Target>> settings) {
  std::vector<std::string> names;
  for (const auto& one : settings) names.push_back(one.name);
  return names;
}

void check_upstream(const UpstreamConfig& upstream, const YamlNode& map, Problems& problems) {
  const auto given = [&](std::string_view name) {
    return std::ranges::any_of(map.keys, [&](const auto& key) { return key.scalar == name; });
  };
  for (const char* required : {"name", "base_url"}) {
    if (given(required)) continue;
    const auto label =
        upstream.name.empty() ? "an upstream" : fmt::format("the upstream '{}'", upstream.name);
    problems.push_back({map.line, map.column, fmt::format("{} needs '{}'", label, required)});
  }
  if (given("api_key_env") && given("api_key_file")) {
    problems.push_back(
        {map.line, map.column, "'api_key_env' and 'api_key_file' exclude each other: keep one"});
  }
}

}  // namespace

std::span<const Setting<Config>> config_settings() {
  static const auto table = [] {
    std::vector<Setting<Config>> made;
    add_server_settings(made);
    add_engine_settings(made);
    add_upstreams(made);
    add_limits(made);
    add_rate_limits(made);
    add_retry_settings(made);
    add_process_settings(made);
    add_webhooks(made);
    add_prices(made);
    return made;
  }();
  return table;
}

std::span<const Setting<UpstreamConfig>> upstream_settings() {
  static const auto table = make_upstream_settings();
  return table;
}

void assign_upstream(UpstreamConfig& upstream, const YamlNode& map, Problems& problems) {
  if (map.kind != YamlNode::Kind::map) {
    problems.push_back(
        {map.line, map.column, "an upstream must be a section with 'name' and 'base_url'"});
    return;
  }
  const auto settings = upstream_settings();
  for (std::size_t i = 0; i < map.items.size(); ++i) {
    const auto& key = map.keys[i];
    const auto found = std::ranges::find(settings, key.scalar, &Setting<UpstreamConfig>::name);
    if (found == settings.end()) {
      problems.push_back(
          {key.line, key.column, unknown_setting(key.scalar, "upstreams", names_of(settings))});
    } else {
      found->assign(upstream, map.items[i], problems);
    }
  }
  check_upstream(upstream, map, problems);
}

LimitsConfig limits_of(LimitProfile profile) {
  if (profile == LimitProfile::openai) return {};
  return {.profile = profile,
          .rows = kUnlimited,
          .file_bytes = kUnlimited,
          .upload_bytes = kUnlimited,
          .batch_file_bytes = kUnlimited,
          .line_bytes = kLineBytesMax,
          .embedding_inputs = kUnlimited};
}

std::string unknown_setting(std::string_view name, std::string_view where,
                            std::span<const std::string> known) {
  const auto place = where.empty() ? std::string{} : fmt::format(" in '{}'", where);
  if (const auto near = nearest(name, known)) {
    return fmt::format("unknown setting '{}'{}: did you mean '{}'?", name, place, *near);
  }
  return fmt::format("unknown setting '{}'{}: known are {}", name, place, fmt::join(known, ", "));
}

}  // namespace offpeak
