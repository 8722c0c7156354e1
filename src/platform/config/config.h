// The server's configuration as plain values, and how it is read.
//
// Every setting has one row in settings.cc (name, help, bounds); its default is the initialiser
// here. A value comes from, strongest first: command-line flag, environment OFFPEAK_SECTION__KEY,
// configuration file, default. All mistakes of all sources are reported together.
// docs/configuration.md is the generated reference.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"

namespace offpeak {

inline constexpr std::uint64_t kUnlimited = std::numeric_limits<std::uint64_t>::max();

/// Lines are held in memory and addressed by 32 bits, so even an unlimited line ends here.
inline constexpr std::uint64_t kLineBytesMax = 1ULL << 30;

struct ListenAddress {
  std::string host = "127.0.0.1";  // IPv6 without brackets
  std::uint16_t port = 2424;       // 0: any free port
};

enum class LogLevel { trace, debug, info, warn, error, off };
enum class LogFormat { automatic, human, json };

struct LogConfig {
  LogLevel level = LogLevel::info;
  LogFormat format = LogFormat::automatic;  // human on a terminal, else json
};

enum class EngineMode { automatic, none, executable };

struct EngineChoice {
  EngineMode mode = EngineMode::automatic;  // automatic: only if no upstream is configured
  std::filesystem::path executable = {};    // of a llama-server, for EngineMode::executable
};

struct EngineConfig {
  EngineChoice mode;
  std::filesystem::path model;  // GGUF; empty: the one that was installed with the engine
  int slots = 4;                // requests at a time
  int context = 2048;           // tokens of one slot
  int threads = 0;              // 0: all cores
  std::uint16_t port = 0;       // 0: any free port
};

struct UpstreamConfig {
  std::string name;
  std::string base_url;             // normalised: scheme://host[:port][/prefix], without /v1
  std::vector<std::string> models;  // empty: ask the upstream
  std::map<std::string, std::string> aliases;  // public name -> served model
  int max_concurrency = 64;
  std::chrono::milliseconds timeout = std::chrono::minutes(10);  // of one whole attempt
  std::string api_key_env;
  std::filesystem::path api_key_file;
};

enum class LimitProfile { openai, unlimited };

/// What all unfinished batches of a project together may hold for one model; its own where one is
/// named in limits.per_model.
struct EnqueuedConfig {
  std::uint64_t tokens = kUnlimited;
  std::uint64_t requests = kUnlimited;
};

struct LimitsConfig {
  LimitProfile profile = LimitProfile::openai;
  std::uint64_t rows = 50'000;                    // of one batch
  std::uint64_t file_bytes = 512ULL << 20;        // of one upload
  std::uint64_t upload_bytes = 8ULL << 30;        // of a file that comes in parts
  std::uint64_t batch_file_bytes = 200ULL << 20;  // of a batch's input file
  std::uint64_t line_bytes = 8ULL << 20;          // never above kLineBytesMax
  std::uint64_t embedding_inputs = 50'000;        // over all rows of one batch
  std::uint64_t listed_errors = 1'000;            // line errors shown in a failed batch
  EnqueuedConfig enqueued;                        // of every model
  std::map<std::string, EnqueuedConfig> per_model = {};
};

LimitsConfig limits_of(LimitProfile profile);

/// Of one project; kUnlimited: none.
struct RateLimitsConfig {
  std::uint64_t requests_per_minute = 10'000'000;
  std::uint64_t tokens_per_minute = 10'000'000'000;  // of synchronous requests, estimated
};

struct RetryConfig {
  int max_attempts = 5;  // answers that ask for a retry, per row
  std::chrono::milliseconds base_delay{500};
  std::chrono::milliseconds max_delay{30'000};
  std::chrono::milliseconds unreachable_timeout{1'800'000};
  std::chrono::milliseconds never_reached_timeout{60'000};
};

struct ShutdownConfig {
  std::chrono::milliseconds drain_timeout{30'000};
};

struct StorageConfig {
  std::chrono::milliseconds sync_interval{5};
};

struct HttpConfig {
  int max_connections = 20'000;
  std::chrono::milliseconds head_timeout{15'000};
  std::chrono::milliseconds body_timeout{30'000};
  std::chrono::milliseconds idle_timeout{75'000};
  std::uint64_t inference_body_bytes = 64ULL << 20;  // of a synchronous request
};

struct WebhooksConfig {
  bool allow_private_targets = false;
};

/// What the tokens would cost elsewhere, for the savings shown to users.
struct PricesConfig {
  std::string model = "gpt-4o-mini";      // whose list prices these are
  std::int64_t input = 150'000;           // millionths of a US dollar per million tokens
  std::int64_t cached_input = 75'000;     // likewise
  std::int64_t output = 600'000;          // likewise
  std::int64_t batch_discount = 500'000;  // millionths: 500'000 is half price
};

struct Config {
  ListenAddress listen;
  std::filesystem::path data_dir;  // load_config always fills it
  std::string default_model;
  LogConfig log;
  EngineConfig engine;
  std::vector<UpstreamConfig> upstreams;
  LimitsConfig limits;
  RateLimitsConfig rate_limits;
  RetryConfig retry;
  ShutdownConfig shutdown;
  StorageConfig storage;
  HttpConfig http;
  WebhooksConfig webhooks;
  PricesConfig prices;
};

struct ConfigError {
  std::string source;  // file name, "environment OFFPEAK_…" or a flag
  int line = 0;        // 1-based; 0 where the source has no lines
  int column = 0;
  std::string message;
};

/// "offpeak.yaml:3:5: message"
std::string to_string(const ConfigError& error);

struct FlagValue {
  std::string flag;     // as typed: "--engine"
  std::string setting;  // as in settings.cc: "engine.mode"
  std::string value;
};

struct ConfigSources {
  std::filesystem::path file = {};  // empty: OFFPEAK_CONFIG, else no file
  std::map<std::string, std::string> environment = {};
  std::vector<FlagValue> flags = {};
};

std::map<std::string, std::string> process_environment();

/// An empty environment value counts as unset. Errors are in the order file, environment, flags.
std::expected<Config, std::vector<ConfigError>> load_config(const ConfigSources& sources);

/// $XDG_DATA_HOME/offpeak, else ~/.local/share/offpeak, else ./offpeak-data.
std::filesystem::path default_data_dir(const std::map<std::string, std::string>& environment);

/// The secret that api_key_env or api_key_file points at; nullopt if the upstream needs none.
Result<std::optional<std::string>> read_api_key(
    const UpstreamConfig& upstream, const std::map<std::string, std::string>& environment);

/// docs/configuration.md.
std::string configuration_reference();

}  // namespace offpeak
