#include "app/project_command.h"

#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <boost/json.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "app/cli/http_session.h"
#include "app/data_dir.h"
#include "pipeline/projects/projects.h"
#include "platform/config/config.h"

namespace offpeak {
namespace {

struct ProjectOptions {
  std::string name;
  std::string data_dir;
  bool json = false;
};

cli::CliResult<std::string> create_in_store(const DataDir& dir, const std::string& name) {
  SystemClock clock;
  SystemRandom random;
  const auto made = create_project(*dir.meta, clock, random, name);
  if (!made) return std::unexpected(cli::CliError{.what = made.error().message});
  return boost::json::serialize(project_object(*made));
}

/// The server holds the data directory; ask it.
cli::CliResult<std::string> create_through_server(const std::filesystem::path& dir,
                                                  const std::string& name) {
  const std::string url = read_first_line(dir / "server.url");
  const std::string key = read_first_line(dir / "operator.key");
  if (url.empty() || key.empty()) {
    return std::unexpected(cli::CliError{
        .what = fmt::format("the data directory {} is in use by another process", dir.string()),
        .todo = "wait for it to end, or choose another directory with --data-dir"});
  }
  cli::HttpSession http({.base_url = url, .api_key = key});
  return http.post("/internal/projects",
                   boost::json::serialize(boost::json::object{{"name", name}}));
}

cli::CliResult<std::string> create(const ProjectOptions& options) {
  const std::filesystem::path path = options.data_dir.empty()
                                         ? default_data_dir(process_environment())
                                         : std::filesystem::path(options.data_dir);
  const auto dir = DataDir::open(path);
  if (dir) return create_in_store(*dir, options.name);
  if (dir.error().kind == ErrorKind::conflict) return create_through_server(path, options.name);
  return std::unexpected(cli::CliError{.what = dir.error().message});
}

int create_command(const ProjectOptions& options) {
  const auto made = create(options);
  if (!made) {
    fmt::print(stderr, "{}\n", made.error().text());
    return static_cast<int>(made.error().exit);
  }
  if (options.json) {
    fmt::print("{}\n", *made);
    return 0;
  }
  const auto project = boost::json::parse(*made).as_object();
  fmt::print("project {} ({})\n", std::string_view(project.at("name").as_string()),
             std::string_view(project.at("id").as_string()));
  fmt::print("key     {}\n", std::string_view(project.at("api_key").as_string()));
  fmt::print(stderr, "The key is shown once and kept nowhere.\n");
  return 0;
}

}  // namespace

void add_project_command(CLI::App& app, cli::Command& chosen) {
  auto options = std::make_shared<ProjectOptions>();  // shared by the parser's callbacks
  auto* const group = app.add_subcommand("project", "Projects (tenants) and their keys.");
  group->require_subcommand(1);
  auto* const command = group->add_subcommand("create", "Make a project and print its key once.");
  command->add_option("name", options->name, "Name of the project.")->required();
  command->add_option("--data-dir", options->data_dir, "The server's data directory.");
  command->add_flag("--json", options->json, "Print JSON.");
  command->callback(
      [options, &chosen] { chosen = [options] { return create_command(*options); }; });
}

}  // namespace offpeak
