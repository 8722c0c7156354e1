#include "app/serve.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdio>
#include <memory>
#include <optional>
#include <utility>

#include "app/server_app.h"
#include "platform/config/config.h"
#include "platform/observe/log.h"

namespace offpeak {
namespace {

constexpr int kExitError = 1;

struct ServeOptions {
  std::string config_file;
  std::optional<std::string> data_dir;
  std::optional<std::string> listen;
  std::optional<std::string> engine;
};

std::expected<Config, std::vector<ConfigError>> load(const ServeOptions& options) {
  ConfigSources sources{.file = options.config_file, .environment = process_environment()};
  for (auto [flag, setting, value] : {std::tuple("--data-dir", "data_dir", &options.data_dir),
                                      std::tuple("--listen", "listen", &options.listen),
                                      std::tuple("--engine", "engine.mode", &options.engine)}) {
    if (*value) sources.flags.push_back({flag, setting, **value});
  }
  return load_config(sources);
}

void say_how_to_start(const ServerApp& app) {
  if (!app.new_key()) return;
  fmt::print(
      "A first project and its key were made; the key is kept in the data directory "
      "(default.key).\n"
      "Point the OpenAI SDK here, your scripts need no other change:\n\n"
      "  export OPENAI_BASE_URL={}/v1\n"
      "  export OPENAI_API_KEY={}\n\n",
      app.url(), *app.new_key());
}

sigset_t stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

/// SIGTERM and SIGINT are taken by the main thread alone, which does nothing else.
int wait_for_signal() {
  const sigset_t signals = stop_signals();
  int number = 0;
  ::sigwait(&signals, &number);
  return number;
}

void block_signals() {
  const sigset_t signals = stop_signals();
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
}

int serve(const ServeOptions& options) {
  auto config = load(options);
  if (!config) {
    for (const ConfigError& error : config.error())
      fmt::print(stderr, "offpeak: {}\n", to_string(error));
    return kExitError;
  }
  configure_logging(static_cast<log::Level>(config->log.level),
                    static_cast<log::Format>(config->log.format));
  block_signals();
  const auto drain_timeout = config->shutdown.drain_timeout;
  auto app = ServerApp::start(std::move(*config));
  if (!app) {
    fmt::print(stderr, "offpeak: {}\n", app.error().message);
    return kExitError;
  }
  say_how_to_start(**app);
  fmt::print("ready {}\n", (*app)->url());
  std::fflush(stdout);
  const int signal = wait_for_signal();
  log::info("serve", "{}: taking no more work, letting what is in flight end",
            signal == SIGTERM ? "SIGTERM" : "SIGINT");
  (*app)->drain(drain_timeout);
  return 0;
}

}  // namespace

void add_serve_command(CLI::App& app, cli::Command& chosen) {
  auto options = std::make_shared<ServeOptions>();  // shared by the parser's callbacks
  auto* const command = app.add_subcommand("serve", "Run the server.");
  command->add_option("--config", options->config_file, "Configuration file (YAML).");
  command->add_option("--data-dir", options->data_dir, "Directory for everything that is kept.");
  command->add_option("--listen", options->listen, "HOST:PORT; port 0 takes a free one.");
  command->add_option("--engine", options->engine,
                      "Local engine: auto, none, or the path of a llama-server.");
  command->callback([options, &chosen] { chosen = [options] { return serve(*options); }; });
}

}  // namespace offpeak
