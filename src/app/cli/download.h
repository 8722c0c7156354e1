// Writing what a command produces: to a file that appears whole or not at all, or to standard
// output.
#pragma once

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

#include "app/cli/exit_code.h"
#include "app/cli/http_session.h"

namespace offpeak::cli {

/// A file under its final name only after commit(); without it nothing is left behind. "-" is
/// standard output, and what exists and is no regular file (a pipe, /dev/null) is written to
/// directly.
class OutputFile {
 public:
  static CliResult<OutputFile> create(const std::filesystem::path& path);
  OutputFile(OutputFile&& other) noexcept = default;
  OutputFile& operator=(OutputFile&&) = delete;
  ~OutputFile();

  std::FILE* stream() const { return stream_.get(); }
  /// Forgets what was written so far.
  CliResult<void> restart();
  CliResult<void> commit();

 private:
  using Stream = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;
  OutputFile(std::filesystem::path path, std::filesystem::path temporary, Stream stream)
      : path_(std::move(path)), temporary_(std::move(temporary)), stream_(std::move(stream)) {}

  std::filesystem::path path_;
  std::filesystem::path temporary_;  // empty: written to directly
  Stream stream_;
};

/// The content of `file_id` to `path`, begun anew up to three times if the connection breaks.
CliResult<void> download_file(HttpSession& http, const std::string& file_id,
                              const std::filesystem::path& path);

/// Whether a file could be written at `path`; leaves nothing there.
CliResult<void> check_writable(const std::filesystem::path& path);

/// Leaves an empty file at `path`.
CliResult<void> write_empty_file(const std::filesystem::path& path);

}  // namespace offpeak::cli
