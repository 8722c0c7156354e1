// Pieces of which the command lines of the client commands are made.
#pragma once

#include <CLI/App.hpp>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "app/cli/client_commands.h"

namespace offpeak::cli {

/// The options that every client command takes.
void add_common(CLI::App& command, CommonOptions& options);

/// A leaf command. Its options live as long as the closures that CLI11 keeps, which share them.
template <class Options>
std::pair<CLI::App*, Options*> add_command(CLI::App& parent, const std::string& name,
                                           const std::string& help, Command& chosen,
                                           std::function<int(const Options&)> handler) {
  CLI::App* command = parent.add_subcommand(name, help);
  auto options = std::make_shared<Options>();
  add_common(*command, options->common);
  command->callback([options, &chosen, handler = std::move(handler)] {
    chosen = [options, handler] { return handler(*options); };
  });
  return {command, options.get()};
}

/// --limit and --after.
void add_paging(CLI::App& command, int& limit, std::string& after, int limit_max);

/// `list`, with --limit and --after.
void add_list(CLI::App& parent, const std::string& help, Command& chosen,
              std::function<int(const ListOptions&)> handler, int limit_max);

/// The commands below `webhooks`.
void add_webhooks(CLI::App& app, Command& chosen, ClientHandlers& handlers);

}  // namespace offpeak::cli
