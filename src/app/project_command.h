// `offpeak project create NAME`: through the running server if there is one, else in the data
// directory.
#pragma once

#include "app/cli/client_commands.h"

namespace CLI {
class App;
}

namespace offpeak {

/// `chosen` must outlive `app`.
void add_project_command(CLI::App& app, cli::Command& chosen);

}  // namespace offpeak
