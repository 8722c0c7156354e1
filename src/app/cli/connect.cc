#include "app/cli/connect.h"

#include <fmt/format.h>

#include <chrono>
#include <fstream>
#include <utility>

#include "platform/config/base_url.h"
#include "platform/config/config.h"

namespace offpeak::cli {
namespace {

using Environment = std::map<std::string, std::string>;

std::string get(const Environment& environment, const char* name) {
  const auto found = environment.find(name);
  return found == environment.end() ? std::string{} : found->second;
}

struct GivenUrl {
  std::string text;
  std::string source;
};

GivenUrl given_url(const CommonOptions& options, const Environment& environment) {
  if (!options.base_url.empty()) return {options.base_url, "--base-url"};
  for (const char* name : {"OFFPEAK_BASE_URL", "OPENAI_BASE_URL"}) {
    if (auto url = get(environment, name); !url.empty()) return {std::move(url), name};
  }
  return {};
}

std::string default_url() {
  const ListenAddress listen;
  return fmt::format("http://{}:{}", listen.host, listen.port);
}

std::string read_first_line(const std::filesystem::path& file) {
  std::ifstream stream(file);
  std::string line;
  std::getline(stream, line);
  while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
  return line;
}

std::string choose_key(const Target& target, const BaseUrl& url, const Environment& environment) {
  if (auto key = get(environment, "OFFPEAK_API_KEY"); !key.empty()) return key;
  auto openai_key = get(environment, "OPENAI_API_KEY");
  if (!openai_key.empty() && (!target.by_default || openai_key.starts_with("opk_"))) {
    return openai_key;
  }
  if (url.is_loopback()) {
    if (auto key = read_first_line(target.data_dir / "default.key"); !key.empty()) return key;
  }
  return openai_key;
}

}  // namespace

CliResult<Target> resolve_target(const CommonOptions& options, const Environment& environment) {
  const auto given = given_url(options, environment);
  const auto url = parse_base_url(given.text.empty() ? default_url() : given.text);
  if (!url) {
    return std::unexpected(CliError{
        .exit = ExitCode::usage,
        .what = fmt::format("{} must be {}, but is '{}'", given.source, url.error(), given.text)});
  }
  Target target;
  target.by_default = given.text.empty();
  target.data_dir = !options.data_dir.empty()
                        ? std::filesystem::path(options.data_dir)
                        : std::filesystem::path(get(environment, "OFFPEAK_DATA_DIR"));
  if (target.data_dir.empty()) target.data_dir = default_data_dir(environment);
  target.endpoint = {.base_url = url->text() + "/v1",
                     .api_key = choose_key(target, *url, environment)};
  return target;
}

CliResult<Connection> connect(const CommonOptions& options) {
  auto target = resolve_target(options, process_environment());
  if (!target) return std::unexpected(std::move(target.error()));
  return Connection{.server = nullptr,
                    .http = std::make_unique<HttpSession>(std::move(target->endpoint))};
}

CliResult<Connection> connect_or_start(const CommonOptions& options) {
  const auto environment = process_environment();
  auto target = resolve_target(options, environment);
  if (!target) return std::unexpected(std::move(target.error()));
  if (!target->by_default ||
      HttpSession::reachable(default_url(), std::chrono::milliseconds(1000))) {
    return Connection{.server = nullptr,
                      .http = std::make_unique<HttpSession>(std::move(target->endpoint))};
  }
  auto server = LocalServer::start(target->data_dir);
  if (!server) return std::unexpected(std::move(server.error()));
  CommonOptions started = options;
  started.base_url = (*server)->url();
  auto endpoint = resolve_target(started, {});
  if (!endpoint) return std::unexpected(std::move(endpoint.error()));
  endpoint->endpoint.api_key = read_first_line(target->data_dir / "default.key");
  return Connection{.server = std::move(*server),
                    .http = std::make_unique<HttpSession>(std::move(endpoint->endpoint))};
}

}  // namespace offpeak::cli
