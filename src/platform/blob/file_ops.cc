#include "platform/blob/file_ops.h"

#include <unistd.h>

#include <cstdio>

namespace offpeak {

ssize_t FileOps::pwrite(int fd, const void* data, std::size_t bytes, off_t offset) {
  return ::pwrite(fd, data, bytes, offset);
}

ssize_t FileOps::pread(int fd, void* data, std::size_t bytes, off_t offset) {
  return ::pread(fd, data, bytes, offset);
}

int FileOps::fdatasync(int fd) {
  return ::fdatasync(fd);
}

int FileOps::fsync(int fd) {
  return ::fsync(fd);
}

int FileOps::rename(const char* from, const char* to) {
  return ::rename(from, to);
}

FileOps& FileOps::real() {
  static FileOps ops;
  return ops;
}

}  // namespace offpeak
