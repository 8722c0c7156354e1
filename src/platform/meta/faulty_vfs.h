// A SQLite VFS for tests: the default one, whose writes and syncs fail on demand and are counted.
#pragma once

#include <sqlite3.h>

#include <atomic>
#include <deque>
#include <mutex>

namespace offpeak::meta_test {

class FaultyVfs {
 public:
  static constexpr const char* kName = "faulty";

  static FaultyVfs& instance() {
    static FaultyVfs vfs;
    return vfs;
  }

  std::atomic<bool> full = false;
  std::atomic<bool> sync_fails = false;
  std::atomic<int> syncs = 0;

 private:
  FaultyVfs() {
    vfs_ = *sqlite3_vfs_find(nullptr);
    vfs_.zName = kName;
    vfs_.xOpen = open;
    sqlite3_vfs_register(&vfs_, 0);
  }

  /// SQLite's VFS has a method table per kind of file; each gets a patched twin.
  struct Patched {
    sqlite3_io_methods methods;  // first: a file's pMethods points to it
    const sqlite3_io_methods* real;
  };

  static int open(sqlite3_vfs* vfs, sqlite3_filename name, sqlite3_file* file, int flags,
                  int* out_flags) {
    const int result = sqlite3_vfs_find(nullptr)->xOpen(vfs, name, file, flags, out_flags);
    if (file->pMethods != nullptr) file->pMethods = &instance().patched(file->pMethods)->methods;
    return result;
  }

  Patched* patched(const sqlite3_io_methods* real) {
    const std::scoped_lock lock(mutex_);
    for (Patched& known : patched_) {
      if (known.real == real) return &known;
    }
    Patched& added = patched_.emplace_back(Patched{*real, real});
    added.methods.xWrite = write;
    added.methods.xSync = sync;
    return &added;
  }

  static const sqlite3_io_methods* real(const sqlite3_file* file) {
    return reinterpret_cast<const Patched*>(file->pMethods)->real;
  }

  static int write(sqlite3_file* file, const void* data, int bytes, sqlite3_int64 offset) {
    if (instance().full) return SQLITE_FULL;
    return real(file)->xWrite(file, data, bytes, offset);
  }

  static int sync(sqlite3_file* file, int flags) {
    ++instance().syncs;
    if (instance().sync_fails) return SQLITE_IOERR_FSYNC;
    return real(file)->xSync(file, flags);
  }

  sqlite3_vfs vfs_ = {};
  std::mutex mutex_;
  std::deque<Patched> patched_;  // elements never move
};

}  // namespace offpeak::meta_test
