#include "platform/blob/disk_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace offpeak {
namespace {

std::unexpected<Error> disk_failure(std::string_view what, std::string_view path, int error) {
  const Error text = errno_error(fmt::format("{} '{}'", what, path), error);
  return fail(ErrorKind::internal, text.message);
}

}  // namespace

Result<DiskFile> DiskFile::open(const std::filesystem::path& path, int flags, FileOps& ops) {
  int fd;
  do {
    fd = ::open(path.c_str(), flags | O_CLOEXEC, 0600);
  } while (fd < 0 && errno == EINTR);
  if (fd < 0) {
    return std::unexpected(errno_error(fmt::format("cannot open '{}'", path.string()), errno));
  }
  return DiskFile(fd, path.string(), ops);
}

DiskFile::DiskFile(DiskFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      path_(std::move(other.path_)),
      ops_(other.ops_),
      sync_failure_(std::move(other.sync_failure_)) {}

DiskFile::~DiskFile() {
  if (fd_ >= 0) ::close(fd_);
}

Status DiskFile::write_at(std::uint64_t offset, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written =
        ops_->pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0) {
      if (errno == EINTR) continue;
      if (errno == EIO) return disk_failure("cannot write (as bad as a failed fsync)", path_, EIO);
      return std::unexpected(errno_error(fmt::format("cannot write '{}'", path_), errno));
    }
    if (written == 0) return fail(ErrorKind::storage_full, fmt::format("no room for '{}'", path_));
    offset += static_cast<std::uint64_t>(written);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Result<std::size_t> DiskFile::read_at(std::uint64_t offset, std::span<char> out) const {
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t got =
        ops_->pread(fd_, out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
    if (got < 0) {
      if (errno == EINTR) continue;
      return disk_failure("cannot read", path_, errno);
    }
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

Status DiskFile::synced(int result) {
  if (result != 0) {
    sync_failure_ = disk_failure("fsync failed on", path_, errno).error();
    return std::unexpected(*sync_failure_);
  }
  return {};
}

Status DiskFile::sync_data() {
  if (sync_failure_) return std::unexpected(*sync_failure_);
  return synced(ops_->fdatasync(fd_));
}

Status DiskFile::sync_directory() {
  return synced(ops_->fsync(fd_));
}

Status DiskFile::truncate(std::uint64_t bytes) {
  int result;
  do {
    result = ::ftruncate(fd_, static_cast<off_t>(bytes));
  } while (result != 0 && errno == EINTR);
  if (result == 0) return {};
  return std::unexpected(errno_error(fmt::format("cannot truncate '{}'", path_), errno));
}

Result<std::uint64_t> DiskFile::size() const {
  struct stat status{};
  if (::fstat(fd_, &status) == 0) return static_cast<std::uint64_t>(status.st_size);
  return disk_failure("cannot stat", path_, errno);
}

Status sync_directory(const std::filesystem::path& directory, FileOps& ops) {
  auto file = DiskFile::open(directory, O_RDONLY | O_DIRECTORY, ops);
  if (!file) return std::unexpected(file.error());
  return file->sync_directory();
}

}  // namespace offpeak
