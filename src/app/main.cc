#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdio>
#include <exception>

#include "app/cli/client_commands.h"
#include "app/project_command.h"
#include "app/serve.h"

int main(int argc, char** argv) {
  try {
    CLI::App app;
    offpeak::cli::Command chosen;
    offpeak::cli::prepare_app(app);
    offpeak::add_serve_command(app, chosen);
    offpeak::cli::add_client_commands(app, chosen);
    offpeak::add_project_command(app, chosen);
    return offpeak::cli::run_app(app, argc, argv, chosen);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "offpeak: %s\n", error.what());
    return 1;
  }
}
