#include <fmt/format.h>

#include "app/cli/api_objects.h"
#include "app/cli/commands.h"
#include "app/cli/download.h"
#include "app/cli/file_check.h"
#include "app/cli/interrupt.h"
#include "app/cli/talk.h"
#include "app/cli/text.h"
#include "app/cli/watch.h"

namespace offpeak::cli {
namespace {

constexpr int kOk = static_cast<int>(ExitCode::ok);

}  // namespace

int file_check(const FilePathOptions& options) {
  const auto check = check_file(options.path, limits_of(options.profile));
  if (!check) return report(check.error());
  if (options.common.json) {
    print_json(to_json(*check, options.path));
  } else {
    const SystemClock clock;
    auto terminal = Terminal::on_stderr(clock);
    say_check(*check, options.path, terminal);
  }
  return static_cast<int>(check->ok() ? ExitCode::ok : ExitCode::error);
}

int file_upload(const FilePathOptions& options) {
  const InterruptGuard guard;
  const auto connection = connect(options.common);
  if (!connection) return report(connection.error());
  const SystemClock clock;
  auto terminal = Terminal::on_stderr(clock);
  const auto file = upload_file(*connection->http, options.path, terminal, clock);
  if (!file) return report(file.error());
  if (options.common.json) {
    print_json(file->json);
  } else {
    fmt::print("{}\n", file->view.id);
  }
  return kOk;
}

int file_get(const FileOptions& options) {
  const InterruptGuard guard;
  const auto connection = connect(options.common);
  if (!connection) return report(connection.error());
  const auto id = path_segment(options.id);
  if (!options.output.empty() || !options.common.json) {
    const auto path = options.output.empty() ? std::string("-") : options.output;
    const auto fetched = download_file(*connection->http, id, path);
    if (!fetched) return report(fetched.error());
  }
  if (options.common.json) {
    const auto json = connection->http->get("/files/" + id);
    if (!json) return report(json.error());
    print_json(*json);
  }
  return kOk;
}

int file_delete(const FileOptions& options) {
  return delete_object(options.common, "/files/" + path_segment(options.id), options.id);
}

int file_list(const ListOptions& options) {
  const auto connection = connect(options.common);
  if (!connection) return report(connection.error());
  const auto json = connection->http->get("/files" + list_query(options.limit, options.after));
  if (!json) return report(json.error());
  if (options.common.json) {
    print_json(*json);
    return kOk;
  }
  const auto page = parse_file_page(*json);
  if (!page) return report(page.error());
  std::vector<std::vector<std::string>> rows = {{"FILE", "PURPOSE", "BYTES", "CREATED", "NAME"}};
  for (const auto& file : page->data) {
    rows.push_back({file.id, file.purpose, group_digits(file.bytes), utc_time(file.created_at),
                    file.filename});
  }
  fmt::print("{}", table(rows));
  if (page->has_more && !page->data.empty()) {
    fmt::print(stderr, "more: offpeak file list --after {}\n", page->data.back().id);
  }
  return kOk;
}

}  // namespace offpeak::cli
