// fork and exec with nothing between them but async-signal-safe calls, so that it may be done in a
// process with threads. Not for use outside this folder.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/error.h"

namespace offpeak {

struct SpawnPlan {
  std::string executable;            // a path
  std::vector<std::string> command;  // argv
  std::vector<std::string> environment;
  int stdin_fd;
  int output_fd;  // for stdout and stderr
};

/// All other descriptors are closed in the child, its signal handling is the default.
Result<pid_t> spawn(const SpawnPlan& plan);

}  // namespace offpeak
