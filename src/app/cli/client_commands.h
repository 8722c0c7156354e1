// The command line of the offpeak executable: the frame every command hangs in, and the client
// commands (run, batch …, file …, webhooks …). How main() uses it:
//
//   CLI::App app;
//   Command chosen;                       // what the parsed command line asks for
//   prepare_app(app);                     // description, --version, exit codes in --help
//   add_serve_command(app, chosen);       // main's own: chosen = [options] { return serve(…); }
//   add_client_commands(app, chosen);
//   return run_app(app, argc, argv, chosen);
#pragma once

#include <functional>

#include "app/cli/commands.h"

namespace CLI {  // NOLINT(readability-identifier-naming): the library's
class App;
}

namespace offpeak::cli {

/// Runs a command; its exit status.
using Command = std::function<int()>;

/// What the client commands do; tests put their own in.
struct ClientHandlers {
  std::function<int(const RunOptions&)> run = run_batch_file;
  std::function<int(const BatchCreateOptions&)> batch_create = cli::batch_create;
  std::function<int(const BatchOptions&)> batch_get = cli::batch_get;
  std::function<int(const BatchOptions&)> batch_cancel = cli::batch_cancel;
  std::function<int(const BatchWaitOptions&)> batch_wait = cli::batch_wait;
  std::function<int(const ListOptions&)> batch_list = cli::batch_list;
  std::function<int(const FilePathOptions&)> file_check = cli::file_check;
  std::function<int(const FilePathOptions&)> file_upload = cli::file_upload;
  std::function<int(const FileOptions&)> file_get = cli::file_get;
  std::function<int(const FileOptions&)> file_delete = cli::file_delete;
  std::function<int(const ListOptions&)> file_list = cli::file_list;
  std::function<int(const WebhookCreateOptions&)> webhook_create = cli::webhook_create;
  std::function<int(const ListOptions&)> webhook_list = cli::webhook_list;
  std::function<int(const WebhookOptions&)> webhook_get = cli::webhook_get;
  std::function<int(const WebhookUpdateOptions&)> webhook_update = cli::webhook_update;
  std::function<int(const WebhookOptions&)> webhook_delete = cli::webhook_delete;
  std::function<int(const WebhookRotateOptions&)> webhook_rotate = cli::webhook_rotate;
  std::function<int(const WebhookTestOptions&)> webhook_test = cli::webhook_test;
  std::function<int(const WebhookDeliveriesOptions&)> webhook_deliveries = cli::webhook_deliveries;
  std::function<int(const WebhookReplayOptions&)> webhook_replay = cli::webhook_replay;
};

void prepare_app(CLI::App& app);

/// `chosen` must outlive `app`.
void add_client_commands(CLI::App& app, Command& chosen, ClientHandlers handlers = {});

/// Parses and runs. 0 after --help and --version, 2 after a command line it does not understand.
int run_app(CLI::App& app, int argc, const char* const* argv, const Command& chosen);

}  // namespace offpeak::cli
