// What to execute as the local engine: a llama-server (configured, or on the PATH), else the
// private Python environment that `tools/install-deps.sh engine` makes. Reads files, starts
// nothing.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "platform/config/config.h"

namespace offpeak {

struct EngineCommand {
  std::filesystem::path executable;
  std::vector<std::string> arguments;  // the port comes after them
  std::string model_name;              // public; the engine answers to it

  /// Everything behind argv[0].
  std::vector<std::string> arguments_for(std::uint16_t port) const;
};

/// Directories that may hold an installed engine, the preferred one first.
std::vector<std::filesystem::path> engine_directories(
    const std::map<std::string, std::string>& environment);

/// Error not_found: nothing to execute or no model; the message says what to install or to
/// configure. The directories are an argument for the tests' sake.
Result<EngineCommand> find_engine(const EngineConfig& config,
                                  const std::map<std::string, std::string>& environment,
                                  const std::vector<std::filesystem::path>& directories);

}  // namespace offpeak
