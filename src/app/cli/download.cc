#include "app/cli/download.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "app/cli/interrupt.h"

namespace offpeak::cli {
namespace {

constexpr int kDownloadTries = 3;

CliError cannot_write(const std::filesystem::path& path) {
  return {.what = fmt::format("cannot write {}: {}", path.string(), std::strerror(errno))};
}

int keep_open(std::FILE* stream) {
  return std::fflush(stream);
}

}  // namespace

CliResult<OutputFile> OutputFile::create(const std::filesystem::path& path) {
  if (path == "-") return OutputFile(path, {}, Stream(stdout, &keep_open));
  std::error_code ignored;
  const auto type = std::filesystem::status(path, ignored).type();
  if (type == std::filesystem::file_type::directory) {
    errno = EISDIR;
    return std::unexpected(cannot_write(path));
  }
  const bool replaced =
      type == std::filesystem::file_type::not_found || type == std::filesystem::file_type::regular;
  std::filesystem::path temporary;
  if (replaced) temporary = fmt::format("{}.part.{}", path.string(), ::getpid());
  const int flags = O_CLOEXEC | O_WRONLY | (replaced ? O_CREAT | O_TRUNC : 0);
  const int fd = ::open((replaced ? temporary : path).c_str(), flags, 0666);
  if (fd < 0) return std::unexpected(cannot_write(path));
  return OutputFile(path, std::move(temporary), Stream(::fdopen(fd, "wb"), &std::fclose));
}

OutputFile::~OutputFile() {
  if (!stream_ || temporary_.empty()) return;
  ::unlink(temporary_.c_str());
}

CliResult<void> OutputFile::restart() {
  if (temporary_.empty()) {
    return std::unexpected(CliError{.what = "the download broke off"});
  }
  std::rewind(stream_.get());
  if (::ftruncate(::fileno(stream_.get()), 0) != 0) return std::unexpected(cannot_write(path_));
  return {};
}

CliResult<void> OutputFile::commit() {
  if (std::fflush(stream_.get()) != 0) return std::unexpected(cannot_write(path_));
  if (temporary_.empty()) return {};
  if (::fsync(::fileno(stream_.get())) != 0 || ::rename(temporary_.c_str(), path_.c_str()) != 0) {
    return std::unexpected(cannot_write(path_));
  }
  stream_.reset();
  return {};
}

CliResult<void> download_file(HttpSession& http, const std::string& file_id,
                              const std::filesystem::path& path) {
  auto output = OutputFile::create(path);
  if (!output) return std::unexpected(std::move(output.error()));
  const auto content = fmt::format("/files/{}/content", file_id);
  for (int attempt = 1;; ++attempt) {
    auto got = http.download(content, output->stream());
    if (got) return output->commit();
    if (got.error().exit != ExitCode::unreachable || attempt == kDownloadTries) return got;
    if (auto restarted = output->restart(); !restarted) return got;
    pause_for(std::chrono::seconds(attempt));
  }
}

CliResult<void> check_writable(const std::filesystem::path& path) {
  std::error_code ignored;
  const auto type = std::filesystem::status(path, ignored).type();
  // Opening a pipe would wait for its reader.
  if (path == "-" || type == std::filesystem::file_type::fifo) return {};
  const auto output = OutputFile::create(path);
  if (!output) return std::unexpected(output.error());
  return {};
}

CliResult<void> write_empty_file(const std::filesystem::path& path) {
  auto output = OutputFile::create(path);
  if (!output) return std::unexpected(std::move(output.error()));
  return output->commit();
}

}  // namespace offpeak::cli
