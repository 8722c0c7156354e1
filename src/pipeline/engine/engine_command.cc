#include "pipeline/engine/engine_command.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <fstream>
#include <iterator>
#include <optional>
#include <string_view>
#include <thread>

#include "pipeline/engine/launcher.h"
#include "platform/process/child_process.h"

namespace offpeak {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kWhatToDo =
    "run `tools/install-deps.sh engine`, or configure `upstreams:` (or `--engine none`)";

struct InstalledEngine {
  fs::path python;
  fs::path model;
  std::string model_name;
};

std::string value_of(const std::map<std::string, std::string>& environment,
                     const std::string& name) {
  const auto found = environment.find(name);
  return found == environment.end() ? "" : found->second;
}

std::string string_member(const boost::json::value& object, std::string_view name) {
  const boost::json::value* member =
      object.is_object() ? object.get_object().if_contains(name) : nullptr;
  const boost::json::string* text = member != nullptr ? member->if_string() : nullptr;
  return text != nullptr ? std::string(text->data(), text->size()) : "";
}

bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

std::optional<InstalledEngine> read_installed(const fs::path& directory) {
  std::ifstream in(directory / "engine.json");
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  boost::json::error_code error;
  const boost::json::value description = boost::json::parse(text, error);
  if (error) return std::nullopt;
  InstalledEngine engine{.python = string_member(description, "python"),
                         .model = string_member(description, "model_path"),
                         .model_name = string_member(description, "model")};
  if (engine.python.empty()) engine.python = directory / "venv" / "bin" / "python";
  if (engine.model.empty()) engine.model = directory / "model.gguf";
  if (engine.model_name.empty()) engine.model_name = engine.model.stem().string();
  return engine;
}

std::optional<InstalledEngine> find_installed(const std::vector<fs::path>& directories) {
  for (const fs::path& directory : directories) {
    if (auto engine = read_installed(directory)) return engine;
  }
  return std::nullopt;
}

struct Model {
  fs::path path;
  std::string name;
};

Result<Model> choose_model(const EngineConfig& config,
                           const std::optional<InstalledEngine>& installed) {
  if (!config.model.empty()) {
    if (is_file(config.model)) return Model{config.model, config.model.stem().string()};
    return fail(ErrorKind::not_found,
                fmt::format("engine.model: there is no file {}", config.model.string()));
  }
  if (!installed) {
    return fail(ErrorKind::not_found,
                fmt::format("the local engine has no model: set `engine.model` to a GGUF file; "
                            "for a small one {}",
                            kWhatToDo));
  }
  if (is_file(installed->model)) return Model{installed->model, installed->model_name};
  return fail(ErrorKind::not_found, fmt::format("the installed engine's model {} is missing: {}",
                                                installed->model.string(), kWhatToDo));
}

int thread_count(const EngineConfig& config) {
  if (config.threads > 0) return config.threads;
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

EngineCommand llama_server(const fs::path& executable, const EngineConfig& config,
                           const Model& model) {
  return {.executable = executable,
          .arguments = {"-m", model.path.string(), "--alias", model.name, "--host", "127.0.0.1",
                        "-np", std::to_string(config.slots), "-c",
                        std::to_string(config.slots * config.context), "-t",
                        std::to_string(thread_count(config)), "--embeddings", "--pooling", "mean",
                        "--metrics"},
          .model_name = model.name};
}

EngineCommand python_engine(const fs::path& python, const EngineConfig& config,
                            const Model& model) {
  return {.executable = python,
          // -I: a module in the working directory must not be imported.
          .arguments = {"-I", "-u", "-c", kEngineLauncher, "--model", model.path.string(),
                        "--alias", model.name, "--slots", std::to_string(config.slots),
                        "--ctx-per-slot", std::to_string(config.context), "--threads",
                        std::to_string(thread_count(config))},
          .model_name = model.name};
}

Result<fs::path> configured_executable(const fs::path& name, const std::string& path) {
  const fs::path file = is_file(name) ? fs::absolute(name) : find_executable(name, path);
  if (!file.empty() && is_file(file) && access(file.c_str(), X_OK) == 0) return file;
  return fail(ErrorKind::not_found,
              fmt::format("engine: {} is not an executable file; give the path of a llama-server, "
                          "`auto` or `none`",
                          name.string()));
}

}  // namespace

std::vector<std::string> EngineCommand::arguments_for(std::uint16_t port) const {
  std::vector<std::string> all = arguments;
  all.insert(all.end(), {"--port", std::to_string(port)});
  return all;
}

std::vector<fs::path> engine_directories(const std::map<std::string, std::string>& environment) {
  std::vector<fs::path> directories;
  const std::string chosen = value_of(environment, "OFFPEAK_ENGINE_DIR");
  const std::string data = value_of(environment, "XDG_DATA_HOME");
  const std::string home = value_of(environment, "HOME");
  if (!chosen.empty()) directories.emplace_back(chosen);
  if (!data.empty()) {
    directories.push_back(fs::path(data) / "offpeak" / "engine");
  } else if (!home.empty()) {
    directories.push_back(fs::path(home) / ".local" / "share" / "offpeak" / "engine");
  }
  directories.emplace_back("/usr/local/lib/offpeak/engine");
  return directories;
}

Result<EngineCommand> find_engine(const EngineConfig& config,
                                  const std::map<std::string, std::string>& environment,
                                  const std::vector<fs::path>& directories) {
  const auto installed = find_installed(directories);
  const std::string path = value_of(environment, "PATH");
  if (config.mode.mode == EngineMode::none) {
    return fail(ErrorKind::not_found, "the local engine is switched off (`--engine none`)");
  }
  fs::path server = find_executable("llama-server", path);
  if (config.mode.mode == EngineMode::executable) {
    auto configured = configured_executable(config.mode.executable, path);
    if (!configured) return std::unexpected(configured.error());
    server = *configured;
  }
  if (server.empty() && !installed) {
    return fail(ErrorKind::not_found, fmt::format("no local engine is installed: {}", kWhatToDo));
  }
  const auto model = choose_model(config, installed);
  if (!model) return std::unexpected(model.error());
  if (!server.empty()) return llama_server(server, config, *model);
  if (is_file(installed->python)) return python_engine(installed->python, config, *model);
  return fail(ErrorKind::not_found, fmt::format("the installed engine's {} is missing: {}",
                                                installed->python.string(), kWhatToDo));
}

}  // namespace offpeak
