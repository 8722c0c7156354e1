#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "platform/config/config.h"

namespace offpeak {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::StartsWith;

class LoadConfig : public testing::Test {
 protected:
  LoadConfig() {
    dir_ =
        std::filesystem::temp_directory_path() / ("offpeak-config-" + std::to_string(::getpid()));
    std::filesystem::create_directories(dir_);
    sources_.environment = {{"HOME", "/home/u"}};
  }
  ~LoadConfig() override { std::filesystem::remove_all(dir_); }

  std::expected<Config, std::vector<ConfigError>> load(const std::string& yaml) {
    sources_.file = dir_ / "c.yaml";
    std::ofstream(sources_.file) << yaml;
    return load_config(sources_);
  }

  std::vector<std::string> errors(const std::string& yaml) {
    std::vector<std::string> lines;
    const auto config = load(yaml);
    if (config) return lines;
    const auto prefix = sources_.file.string() + ":";
    for (const auto& error : config.error()) {
      auto line = to_string(error);
      if (line.starts_with(prefix)) line.erase(0, prefix.size());
      lines.push_back(std::move(line));
    }
    return lines;
  }

  std::filesystem::path dir_;
  ConfigSources sources_;
};

TEST_F(LoadConfig, NeedsNothing) {
  const auto config = load_config({.environment = {{"HOME", "/home/u"}}});
  ASSERT_TRUE(config);
  EXPECT_EQ(config->listen.port, 2424);
  EXPECT_EQ(config->data_dir, "/home/u/.local/share/offpeak");
  EXPECT_EQ(config->limits.batch_file_bytes, 209'715'200u);
}

TEST_F(LoadConfig, ReadsWhatModelsMayEnqueue) {
  const auto config = load(R"(limits:
  per_model:
    gpt-4o: {enqueued_tokens: 90000}
    "a/b:c": {enqueued_requests: unlimited, enqueued_tokens: 5}
  enqueued_requests: 7
)");
  ASSERT_TRUE(config) << to_string(config.error()[0]);
  const auto& limits = config->limits;
  EXPECT_EQ(limits.enqueued.tokens, kUnlimited);
  EXPECT_EQ(limits.enqueued.requests, 7u);
  EXPECT_EQ(limits.per_model.at("gpt-4o").tokens, 90'000u);
  EXPECT_EQ(limits.per_model.at("gpt-4o").requests, 7u);
  EXPECT_EQ(limits.per_model.at("a/b:c").requests, kUnlimited);
  EXPECT_EQ(limits.per_model.at("a/b:c").tokens, 5u);
  sources_.environment["OFFPEAK_LIMITS__PER_MODEL"] = "{m: {enqueued_tokens: 3}}";
  EXPECT_EQ(load("")->limits.per_model.at("m").tokens, 3u);
}

TEST_F(LoadConfig, AProfileIsTheSameUnderAnyOrder) {
  const auto config = load("limits: {per_model: {m: {enqueued_tokens: 3}}, profile: unlimited}\n");
  ASSERT_TRUE(config);
  EXPECT_EQ(config->limits.rows, kUnlimited);
  EXPECT_EQ(config->limits.per_model.at("m").tokens, 3u);
}

TEST_F(LoadConfig, ReadsAnUpstreamWhole) {
  const auto config = load(R"(upstreams:
  - name: gpu-a
    base_url: http://10.0.0.7:8000/v1/
    models: [llama, "7"]
    aliases: {gpt-4o-mini: llama}
    max_concurrency: 128
    timeout: 90s
    api_key_env: GPU_KEY
)");
  ASSERT_TRUE(config) << to_string(config.error()[0]);
  const auto& upstream = config->upstreams.at(0);
  EXPECT_EQ(upstream.base_url, "http://10.0.0.7:8000");
  EXPECT_THAT(upstream.models, ElementsAre("llama", "7"));
  EXPECT_EQ(upstream.aliases.at("gpt-4o-mini"), "llama");
  EXPECT_EQ(upstream.max_concurrency, 128);
  EXPECT_EQ(upstream.timeout, 90s);
  EXPECT_EQ(upstream.api_key_env, "GPU_KEY");
}

TEST_F(LoadConfig, StrongerSourcesWin) {
  sources_.environment["OFFPEAK_ENGINE__SLOTS"] = "2";
  sources_.environment["OFFPEAK_ENGINE__CONTEXT"] = "4096";
  sources_.environment["OFFPEAK_LISTEN"] = "";
  sources_.flags = {{"--slots", "engine.slots", "3"}, {"--engine", "engine.mode", "none"}};
  const auto config = load("engine: {slots: 1, context: 100, threads: 5}\nlisten: '[::1]:1'\n");
  ASSERT_TRUE(config) << to_string(config.error()[0]);
  EXPECT_EQ(config->engine.slots, 3);
  EXPECT_EQ(config->engine.context, 4096);
  EXPECT_EQ(config->engine.threads, 5);
  EXPECT_EQ(config->engine.mode.mode, EngineMode::none);
  EXPECT_EQ(config->listen.host, "::1");
}

TEST_F(LoadConfig, AProfileSetsOnlyWhatNobodySetBesideIt) {
  sources_.environment["OFFPEAK_LIMITS__PROFILE"] = "unlimited";
  const auto config = load("limits: {rows: 7, line_bytes: 1MiB}\n");
  ASSERT_TRUE(config);
  EXPECT_EQ(config->limits.rows, 7u);
  EXPECT_EQ(config->limits.line_bytes, 1u << 20);
  EXPECT_EQ(config->limits.file_bytes, kUnlimited);
  EXPECT_EQ(config->limits.listed_errors, 1000u);
}

TEST_F(LoadConfig, NoLineIsLongerThanMemoryAllows) {
  for (const char* yaml : {"limits: {profile: unlimited}\n", "limits: {line_bytes: unlimited}\n"}) {
    EXPECT_EQ(load(yaml)->limits.line_bytes, kLineBytesMax) << yaml;
  }
}

TEST_F(LoadConfig, TheEnvironmentMayHoldUpstreams) {
  sources_.environment["OFFPEAK_UPSTREAMS"] = "[{name: a, base_url: 'http://h:1'}]";
  const auto config = load_config(sources_);
  ASSERT_TRUE(config);
  EXPECT_EQ(config->upstreams.at(0).base_url, "http://h:1");
}

TEST_F(LoadConfig, TheEnvironmentMayNameTheFile) {
  ASSERT_TRUE(load("default_model: m\n"));
  sources_.environment["OFFPEAK_CONFIG"] = std::exchange(sources_.file, {}).string();
  EXPECT_EQ(load_config(sources_)->default_model, "m");
}

TEST_F(LoadConfig, ReportsEveryMistakeOfEverySource) {
  sources_.environment["OFFPEAK_ENGINE__SLOT"] = "2";
  sources_.environment["OFFPEAK_LISTNE"] = "x";
  sources_.environment["OFFPEAK_SOMETHING_ELSE"] = "ignored";
  sources_.environment["OFFPEAK_API_KEY"] = "ignored";
  sources_.flags = {{"--engine-slots", "engine.slots", "many"}};
  EXPECT_THAT(
      errors("limits:\n  row: 5\nlog: {level: loud}\n"),
      ElementsAre(
          "2:3: unknown setting 'row' in 'limits': did you mean 'rows'?",
          StartsWith("3:14: 'log.level' must be one of trace, debug, info, warn, error, off"),
          "environment OFFPEAK_ENGINE__SLOT: unknown setting: did you mean "
          "OFFPEAK_ENGINE__SLOTS?",
          "environment OFFPEAK_LISTNE: unknown setting: did you mean OFFPEAK_LISTEN?",
          "--engine-slots: 'engine.slots' must be an integer from 1 to 1024, but is "
          "'many'"));
}

TEST_F(LoadConfig, SaysThatAFileIsMissing) {
  sources_.file = dir_ / "absent.yaml";
  const auto config = load_config(sources_);
  ASSERT_FALSE(config);
  EXPECT_EQ(to_string(config.error().at(0)),
            sources_.file.string() + ": cannot be read: No such file or directory");
}

struct Mistake {
  const char* yaml;
  const char* says;
};

class ConfigMistake : public LoadConfig, public testing::WithParamInterface<Mistake> {};

TEST_P(ConfigMistake, HasPlaceAndReason) {
  EXPECT_THAT(errors(GetParam().yaml), ElementsAre(StartsWith(GetParam().says)));
}

INSTANTIATE_TEST_SUITE_P(
    All, ConfigMistake,
    testing::Values(
        Mistake{"lisen: 127.0.0.1:1\n", "1:1: unknown setting 'lisen': did you mean 'listen'?"},
        Mistake{"upstream: []\n", "1:1: unknown setting 'upstream': did you mean 'upstreams'?"},
        Mistake{"zzzzzz: 1\n", "1:1: unknown setting 'zzzzzz': known are listen, data_dir"},
        Mistake{"engine:\n  slots: 0\n",
                "2:10: 'engine.slots' must be an integer from 1 to 1024, but is '0'"},
        Mistake{"engine:\n  slots: 2.5\n", "2:10: 'engine.slots' must be an integer"},
        Mistake{"engine:\n  slots: [1]\n",
                "2:10: 'engine.slots' must be an integer from 1 to 1024, but is a list"},
        Mistake{"engine:\n  slots:\n", "2:3: 'engine.slots' has no value"},
        Mistake{"engine: 5\n", "1:9: 'engine' must be a section of settings"},
        Mistake{"- a\n", "1:1: must be a list of 'setting: value' lines"},
        Mistake{"listen: 2424\n", "1:9: 'listen' must be HOST:PORT"},
        Mistake{"retry:\n  base_delay: 1w\n", "2:15: 'retry.base_delay' must be a duration"},
        Mistake{"retry:\n  base_delay: 1m\n",
                "2:15: 'retry.base_delay' must not be longer than 'retry.max_delay'"},
        Mistake{"limits:\n  per_model: 5\n", "2:14: 'limits.per_model' must be a section of"},
        Mistake{"limits:\n  per_model:\n    m: 5\n",
                "3:8: 'limits.per_model.m' must be a section of limits"},
        Mistake{"limits:\n  per_model:\n    m: {enqueued_token: 5}\n",
                "3:9: unknown setting 'enqueued_token' in 'limits.per_model.m': did you mean "
                "'enqueued_tokens'?"},
        Mistake{"limits:\n  per_model:\n    m: {enqueued_tokens: many}\n",
                "3:26: 'limits.per_model.m.enqueued_tokens' must be"},
        Mistake{"limits:\n  file_bytes: lots\n", "2:15: 'limits.file_bytes' must be a size"},
        Mistake{"prices: {input: 0.00000001}\n", "1:17: 'prices.input' must be a number"},
        Mistake{"upstreams: {name: a}\n", "1:12: 'upstreams' must be a list"},
        Mistake{"upstreams: [a]\n", "1:13: an upstream must be a section"},
        Mistake{"upstreams:\n  - name: a\n", "2:5: the upstream 'a' needs 'base_url'"},
        Mistake{"upstreams:\n  - base_url: http://h\n", "2:5: an upstream needs 'name'"},
        Mistake{"upstreams:\n  - name: a\n    base_url: h:80\n",
                "3:15: 'base_url' must be a URL like"},
        Mistake{"upstreams:\n  - name: a\n    base_url: http://h\n    max_concurency: 4\n",
                "4:5: unknown setting 'max_concurency' in 'upstreams': did you mean "
                "'max_concurrency'?"},
        Mistake{"upstreams:\n  - {name: a, base_url: http://h, aliases: {x: [y]}}\n",
                "2:48: the alias 'x' must name a served model"},
        Mistake{
            "upstreams:\n  - {name: a, base_url: http://h}\n  - {name: a, base_url: http://i}\n",
            "3:5: two upstreams are named 'a'"},
        Mistake{"upstreams:\n  - {name: a, base_url: http://h, api_key_env: A, api_key_file: f}\n",
                "2:5: 'api_key_env' and 'api_key_file' exclude each other"},
        Mistake{"listen: *x\n", "1:9: "}, Mistake{"listen: '127.0.0.1:1'\nlisten: a\n", "2:1: "}));

TEST_F(LoadConfig, NeverRepeatsAPastedKey) {
  const auto lines = errors(
      "upstreams:\n  - {name: a, base_url: http://h, api_key_env: sk-very-secret}\n"
      "  - {name: b, base_url: 'http://me:very-secret@h'}\n");
  ASSERT_EQ(lines.size(), 2u);
  for (const auto& line : lines) EXPECT_EQ(line.find("very-secret"), std::string::npos) << line;
}

TEST_F(LoadConfig, ReadsKeysOfUpstreams) {
  UpstreamConfig upstream{.name = "a"};
  EXPECT_EQ(*read_api_key(upstream, {}), std::nullopt);
  upstream.api_key_env = "K";
  EXPECT_FALSE(read_api_key(upstream, {}));
  EXPECT_EQ(*read_api_key(upstream, {{"K", "v"}}), "v");
  upstream = {.name = "a", .api_key_file = dir_ / "key"};
  EXPECT_FALSE(read_api_key(upstream, {}));
  std::ofstream(upstream.api_key_file) << "from-file\r\n";
  EXPECT_EQ(*read_api_key(upstream, {}), "from-file");
}

}  // namespace
}  // namespace offpeak
