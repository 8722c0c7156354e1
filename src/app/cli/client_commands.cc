#include "app/cli/client_commands.h"

#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <memory>
#include <utility>

#include "app/cli/command_line.h"
#include "app/cli/text.h"
#include "platform/config/units.h"

namespace offpeak::cli {
namespace {

constexpr std::string_view kEnvironmentHelp =
    "Environment: OFFPEAK_BASE_URL, OFFPEAK_API_KEY; else OPENAI_BASE_URL, OPENAI_API_KEY;\n"
    "  else the server on this machine and its default key.";

void add_duration(CLI::App& command, const std::string& name, std::chrono::milliseconds& value,
                  const std::string& help) {
  command
      .add_option_function<std::string>(
          name,
          [&value, name](const std::string& text) {
            const auto duration = parse_duration(text);
            if (!duration) {
              throw CLI::ValidationError(name, "must be a duration such as 500ms, 30s or 10m");
            }
            value = *duration;
          },
          help)
      ->type_name("DURATION");
}

void add_metadata(CLI::App& command, Metadata& metadata) {
  command
      .add_option_function<std::vector<std::string>>(
          "--metadata",
          [&metadata](const std::vector<std::string>& pairs) {
            for (const auto& pair : pairs) {
              const auto equals = pair.find('=');
              if (equals == 0 || equals == std::string::npos) {
                throw CLI::ValidationError("--metadata", "must be KEY=VALUE");
              }
              metadata.emplace_back(pair.substr(0, equals), pair.substr(equals + 1));
            }
          },
          "KEY=VALUE, may be given up to 16 times")
      ->type_name("K=V")
      ->type_size(1)
      ->expected(1)
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void add_run(CLI::App& app, Command& chosen, ClientHandlers& handlers) {
  auto [command, options] = add_command<RunOptions>(
      app, "run",
      "Run a file of requests as one batch and fetch the results (starts a server if none runs)",
      chosen, std::move(handlers.run));
  command->add_option("-i,--input", options->input, "The requests, one JSON object per line")
      ->required()
      ->type_name("FILE");
  command->add_option("-o,--output", options->output, "Where the results go")
      ->required()
      ->type_name("FILE");
  command->add_option("--errors", options->errors, "Where the rows without a result go")
      ->type_name("FILE");
  command->add_option("--window", options->window, "Completion window")->capture_default_str();
  add_duration(*command, "--poll", options->poll, "Time between two looks at the batch [500ms]");
  command->footer(
      "Uses the running server; if there is none and no URL is given, starts one for the "
      "duration.");
}

void add_batch_wait(CLI::App& batch, Command& chosen, ClientHandlers& handlers) {
  auto [command, options] =
      add_command<BatchWaitOptions>(batch, "wait", "Wait for a batch to end, fetch its results",
                                    chosen, std::move(handlers.batch_wait));
  command->add_option("ID", options->id, "The batch")->required();
  command->add_option("-o,--output", options->output, "Write the results")->type_name("FILE");
  command->add_option("--errors", options->errors, "Write the rows without a result")
      ->type_name("FILE");
  add_duration(*command, "--timeout", options->timeout, "Give up waiting, with exit status 6");
  add_duration(*command, "--poll", options->poll, "Time between two looks at the batch [500ms]");
}

void add_batch(CLI::App& app, Command& chosen, ClientHandlers& handlers) {
  CLI::App* batch = app.add_subcommand("batch", "Create, watch and cancel batches");
  batch->require_subcommand(1);

  auto [create, create_options] =
      add_command<BatchCreateOptions>(*batch, "create", "Create a batch from an uploaded file",
                                      chosen, std::move(handlers.batch_create));
  create->add_option("FILE_ID", create_options->file_id, "The uploaded file")->required();
  create->add_option("--endpoint", create_options->endpoint, "Such as /v1/chat/completions")
      ->required();
  create->add_option("--window", create_options->window, "Completion window")
      ->capture_default_str();
  add_metadata(*create, create_options->metadata);

  auto [get, get_options] = add_command<BatchOptions>(*batch, "get", "Show a batch", chosen,
                                                      std::move(handlers.batch_get));
  get->add_option("ID", get_options->id, "The batch")->required();
  add_list(*batch, "List batches, newest first", chosen, std::move(handlers.batch_list), 100);
  add_batch_wait(*batch, chosen, handlers);
  auto [cancel, cancel_options] =
      add_command<BatchOptions>(*batch, "cancel", "Cancel a batch; finished rows are kept", chosen,
                                std::move(handlers.batch_cancel));
  cancel->add_option("ID", cancel_options->id, "The batch")->required();
}

void add_file(CLI::App& app, Command& chosen, ClientHandlers& handlers) {
  CLI::App* file = app.add_subcommand("file", "Check, upload, list and fetch files");
  file->require_subcommand(1);

  auto [check, check_options] = add_command<FilePathOptions>(
      *file, "check", "Check an input file without a server, by the server's rules", chosen,
      std::move(handlers.file_check));
  check->add_option("PATH", check_options->path, "A .jsonl file")->required();
  check->add_flag_function(
      "--unlimited",
      [options = check_options](std::int64_t) { options->profile = LimitProfile::unlimited; },
      "Without OpenAI's limits on rows and bytes");

  auto [upload, upload_options] =
      add_command<FilePathOptions>(*file, "upload", "Upload an input file; prints its ID", chosen,
                                   std::move(handlers.file_upload));
  upload->add_option("PATH", upload_options->path, "A .jsonl file")->required();

  auto [get, get_options] = add_command<FileOptions>(
      *file, "get", "Fetch a file's content; with --json alone, the file object", chosen,
      std::move(handlers.file_get));
  get->add_option("ID", get_options->id, "The file")->required();
  get->add_option("-o,--output", get_options->output, "Write to a file")->type_name("FILE");

  add_list(*file, "List files, newest first", chosen, std::move(handlers.file_list), 10'000);
  auto [remove, remove_options] = add_command<FileOptions>(*file, "delete", "Delete a file", chosen,
                                                           std::move(handlers.file_delete));
  remove->add_option("ID", remove_options->id, "The file")->required();
}

}  // namespace

void add_common(CLI::App& command, CommonOptions& options) {
  command.add_option("--base-url", options.base_url, "The server's URL, with or without /v1");
  command.add_option("--data-dir", options.data_dir,
                     "The local server's data directory, for its key");
  command.add_flag("--json", options.json, "Print the API's object, alone, on standard output");
}

void add_paging(CLI::App& command, int& limit, std::string& after, int limit_max) {
  command.add_option("--limit", limit, "At most so many")
      ->check(CLI::Range(1, limit_max))
      ->capture_default_str();
  command.add_option("--after", after, "Those behind this ID")->type_name("ID");
}

void add_list(CLI::App& parent, const std::string& help, Command& chosen,
              std::function<int(const ListOptions&)> handler, int limit_max) {
  auto [command, options] = add_command(parent, "list", help, chosen, std::move(handler));
  add_paging(*command, options->limit, options->after, limit_max);
}

void prepare_app(CLI::App& app) {
  app.name("offpeak");
  app.description("offpeak: a batch inference server that speaks OpenAI's Batch API");
  app.set_version_flag("--version", "offpeak " OFFPEAK_VERSION);
  app.require_subcommand(1);
  app.footer(fmt::format("{}\n{}", kEnvironmentHelp, kExitCodeHelp));
}

void add_client_commands(CLI::App& app, Command& chosen, ClientHandlers handlers) {
  add_run(app, chosen, handlers);
  add_batch(app, chosen, handlers);
  add_file(app, chosen, handlers);
  add_webhooks(app, chosen, handlers);
}

int run_app(CLI::App& app, int argc, const char* const* argv, const Command& chosen) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // --help and --version arrive as "errors" with status 0.
    if (error.get_exit_code() == 0) return app.exit(error);
    const CLI::App* command = &app;
    while (!command->get_subcommands().empty()) command = command->get_subcommands().front();
    std::string name = command->get_name();
    for (const auto* up = command->get_parent(); up != nullptr; up = up->get_parent()) {
      name = fmt::format("{} {}", up->get_name(), name);
    }
    fmt::print(stderr, "offpeak: {}; see '{} --help'\n", error.what(), name);
    return static_cast<int>(ExitCode::usage);
  }
  return chosen ? chosen() : static_cast<int>(ExitCode::usage);
}

}  // namespace offpeak::cli
