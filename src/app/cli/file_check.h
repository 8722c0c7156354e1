// The offline check of an input file: the rules of the server's intake, without a server. What only
// the server knows (is the model served, has it other limits) is not checked.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "app/cli/exit_code.h"
#include "core/records/batch.h"
#include "platform/config/config.h"

namespace offpeak::cli {

struct FileCheck {
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
  std::string endpoint;             // of the first row that names one
  std::vector<std::string> models;  // in order of appearance
  std::vector<LineError> errors;    // the first `limits.listed_errors`
  std::uint64_t errors_total = 0;

  bool ok() const { return errors_total == 0; }
};

/// Fails only if the file cannot be read. Memory: the custom_ids and one line.
CliResult<FileCheck> check_file(const std::filesystem::path& file, const LimitsConfig& limits);

/// {"object":"file_check", …} with the errors in the API's form.
std::string to_json(const FileCheck& check, const std::filesystem::path& file);

}  // namespace offpeak::cli
