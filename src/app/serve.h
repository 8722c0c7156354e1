// `offpeak serve`: configuration, the server, signals.
#pragma once

#include "app/cli/client_commands.h"

namespace CLI {
class App;
}

namespace offpeak {

/// `chosen` must outlive `app`.
void add_serve_command(CLI::App& app, cli::Command& chosen);

}  // namespace offpeak
