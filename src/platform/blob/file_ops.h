// The system calls of DiskBlobStore that can fail halfway, behind a seam so that tests can make
// them fail. Each behaves as the call of the same name: a negative result means errno.
#pragma once

#include <sys/types.h>

#include <cstddef>

namespace offpeak {

class FileOps {
 public:
  virtual ~FileOps() = default;
  virtual ssize_t pwrite(int fd, const void* data, std::size_t bytes, off_t offset);
  virtual ssize_t pread(int fd, void* data, std::size_t bytes, off_t offset);
  virtual int fdatasync(int fd);
  virtual int fsync(int fd);
  virtual int rename(const char* from, const char* to);

  /// The operating system's own.
  static FileOps& real();
};

}  // namespace offpeak
