// One open file of DiskBlobStore: whole reads and writes, and syncs whose failure is final.
//
// A failed fsync or a write that met EIO is reported as ErrorKind::internal with "fsync" in its
// message, and the file answers every later sync with the same error: the kernel marks the lost
// pages clean, so a second fsync would lie. The caller stops the process.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "platform/blob/file_ops.h"

namespace offpeak {

class DiskFile {
 public:
  /// `flags` as for open(2); O_CLOEXEC is added, new files get mode 0600.
  static Result<DiskFile> open(const std::filesystem::path& path, int flags, FileOps& ops);
  DiskFile(DiskFile&& other) noexcept;
  DiskFile& operator=(DiskFile&&) = delete;
  ~DiskFile();

  Status write_at(std::uint64_t offset, std::string_view bytes);
  /// Fewer bytes only at the end of the file.
  Result<std::size_t> read_at(std::uint64_t offset, std::span<char> out) const;
  Status sync_data();
  Status sync_directory();
  Status truncate(std::uint64_t bytes);
  Result<std::uint64_t> size() const;

 private:
  DiskFile(int fd, std::string path, FileOps& ops) : fd_(fd), path_(std::move(path)), ops_(&ops) {}
  Status synced(int result);

  int fd_;
  std::string path_;
  FileOps* ops_;
  std::optional<Error> sync_failure_;
};

/// Makes the names in `directory` durable.
Status sync_directory(const std::filesystem::path& directory, FileOps& ops);

}  // namespace offpeak
