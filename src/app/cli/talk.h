// Steps that several commands share, with their talk.
#pragma once

#include <filesystem>
#include <string>

#include "app/cli/api_objects.h"
#include "app/cli/connect.h"
#include "app/cli/exit_code.h"
#include "app/cli/file_check.h"
#include "app/cli/http_session.h"
#include "app/cli/terminal.h"
#include "base/clock.h"

namespace offpeak::cli {

/// "checked 50,000 rows, 209 MB, 1 model, 0 problems" and the first problems.
void say_check(const FileCheck& check, const std::filesystem::path& file, Terminal& terminal);

struct UploadedFile {
  FileView view;
  std::string json;
};

/// With a bar on a terminal.
CliResult<UploadedFile> upload_file(HttpSession& http, const std::filesystem::path& file,
                                    Terminal& terminal, const Clock& clock);

/// A whole `delete` command: deletes what lies at `path` and says so; its exit status.
int delete_object(const CommonOptions& options, const std::string& path, const std::string& id);

}  // namespace offpeak::cli
