#include "platform/blob/disk_blob_store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "platform/blob/blob_key.h"
#include "platform/blob/disk_file.h"

namespace offpeak {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kTempFolder = ".tmp";

std::unexpected<Error> errno_failure(std::string_view what, const fs::path& path, int error) {
  return std::unexpected(errno_error(fmt::format("{} '{}'", what, path.string()), error));
}

Status make_directory(const fs::path& path) {
  if (::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return {};
  return errno_failure("cannot create the directory", path, errno);
}

/// Makes the directories between `root` and `path`, which is below it.
Status make_parents(const fs::path& root, const fs::path& path) {
  fs::path directory = root;
  for (const fs::path& segment : path.parent_path().lexically_relative(root)) {
    if (segment == ".") continue;
    directory /= segment;
    if (auto made = make_directory(directory); !made) return made;
  }
  return {};
}

void collect_keys(const fs::path& root, const fs::path& directory, std::string_view prefix,
                  std::vector<BlobKey>& keys, std::error_code& error) {
  fs::directory_iterator entry(directory, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const fs::path& path = entry->path();
    if (path.filename().native().starts_with('.')) continue;
    std::error_code gone;
    std::string key = path.lexically_relative(root).string();
    if (entry->is_directory(gone)) {
      const std::size_t common = std::min(prefix.size(), key.size() + 1);
      if ((key + '/').starts_with(prefix.substr(0, common))) {
        collect_keys(root, path, prefix, keys, error);
      }
    } else if (key.starts_with(prefix)) {
      keys.emplace_back(std::move(key));
    }
  }
  if (error == std::errc::no_such_file_or_directory && directory != root) error.clear();
}

class Reader final : public BlobReader {
 public:
  Reader(DiskFile file, std::uint64_t size) : file_(std::move(file)), size_(size) {}

  std::uint64_t size() const override { return size_; }

  Result<std::size_t> read_at(std::uint64_t offset, std::span<char> out) const override {
    if (offset >= size_) return 0;
    return file_.read_at(offset, out.first(std::min<std::uint64_t>(out.size(), size_ - offset)));
  }

 private:
  DiskFile file_;
  std::uint64_t size_;
};

}  // namespace

class DiskBlobStore::Writer final : public BlobWriter {
 public:
  Writer(DiskBlobStore& store, BlobKey key, fs::path temp, DiskFile file)
      : store_(store), key_(std::move(key)), temp_(std::move(temp)), file_(std::move(file)) {}

  ~Writer() override {
    if (!in_place_) ::unlink(temp_.c_str());
  }

  Status append(std::string_view bytes) override {
    if (in_place_) return fail(ErrorKind::internal, fmt::format("blob '{}' is committed", key_));
    if (auto written = file_.write_at(bytes_, bytes); !written) return written;
    bytes_ += bytes.size();
    return {};
  }

  std::uint64_t bytes() const override { return bytes_; }

  Status commit() override {
    if (in_place_) return fail(ErrorKind::internal, fmt::format("blob '{}' is committed", key_));
    // What a failed append left behind the last whole one does not belong to the blob.
    if (auto cut = file_.truncate(bytes_); !cut) return cut;
    if (auto synced = file_.sync_data(); !synced) return synced;
    if (auto moved = store_.put_in_place(temp_, key_); !moved) return moved;
    in_place_ = true;
    return store_.sync_name(key_);
  }

 private:
  DiskBlobStore& store_;
  BlobKey key_;
  fs::path temp_;
  DiskFile file_;
  std::uint64_t bytes_ = 0;
  bool in_place_ = false;
};

class DiskBlobStore::Append final : public AppendBlob {
 public:
  Append(DiskBlobStore& store, BlobKey key, DiskFile file, std::uint64_t size)
      : store_(store), key_(std::move(key)), file_(std::move(file)), size_(size) {}

  std::uint64_t size() const override { return size_.load(std::memory_order_acquire); }

  Status append(std::string_view bytes) override {
    const std::uint64_t end = size();
    if (auto written = file_.write_at(end, bytes); !written) return written;
    size_.store(end + bytes.size(), std::memory_order_release);
    return {};
  }

  Status sync() override {
    if (auto synced = file_.sync_data(); !synced) return synced;
    if (name_synced_) return {};
    if (auto synced = store_.sync_name(key_); !synced) return synced;
    name_synced_ = true;
    return {};
  }

  Status truncate(std::uint64_t bytes) override {
    if (bytes > size()) {
      return fail(ErrorKind::internal,
                  fmt::format("cannot cut blob '{}' to {} bytes: it has {}", key_, bytes, size()));
    }
    if (auto cut = file_.truncate(bytes); !cut) return cut;
    size_.store(bytes, std::memory_order_release);
    return {};
  }

  Result<std::size_t> read_at(std::uint64_t offset, std::span<char> out) const override {
    const std::uint64_t end = size();
    if (offset >= end) return 0;
    return file_.read_at(offset, out.first(std::min<std::uint64_t>(out.size(), end - offset)));
  }

 private:
  DiskBlobStore& store_;
  BlobKey key_;
  DiskFile file_;
  std::atomic<std::uint64_t> size_;
  bool name_synced_ = false;
};

DiskBlobStore::DiskBlobStore(fs::path root, FileOps& ops) : root_(std::move(root)), ops_(ops) {}

Result<std::unique_ptr<DiskBlobStore>> DiskBlobStore::open(const fs::path& root, FileOps& ops) {
  std::error_code error;
  const fs::path absolute = fs::absolute(root, error).lexically_normal();
  const bool fresh = ::mkdir(absolute.c_str(), 0700) == 0;
  if (!fresh && errno != EEXIST) return errno_failure("cannot create", absolute, errno);
  if (::chmod(absolute.c_str(), 0700) != 0) {
    return errno_failure("cannot make private", absolute, errno);
  }
  const fs::path temp = absolute / kTempFolder;
  if (auto made = make_directory(temp); !made) return std::unexpected(made.error());
  for (fs::directory_iterator left(temp, error); !error && left != fs::directory_iterator();
       left.increment(error)) {
    if (::unlink(left->path().c_str()) != 0) {
      return errno_failure("cannot remove", left->path(), errno);
    }
  }
  if (error) return errno_failure("cannot read", temp, error.value());
  if (auto synced = sync_directory(absolute, ops); !synced) return std::unexpected(synced.error());
  if (fresh) {
    auto synced = sync_directory(absolute.parent_path(), ops);
    if (!synced) return std::unexpected(synced.error());
  }
  return std::unique_ptr<DiskBlobStore>(new DiskBlobStore(absolute, ops));
}

Result<std::unique_ptr<BlobWriter>> DiskBlobStore::create(const BlobKey& key) {
  if (auto checked = check_blob_key(key); !checked) return std::unexpected(checked.error());
  fs::path temp = root_ / kTempFolder / fmt::format("{}", temp_count_++);
  auto file = DiskFile::open(temp, O_WRONLY | O_CREAT | O_EXCL, ops_);
  if (!file) return std::unexpected(file.error());
  return std::make_unique<Writer>(*this, key, std::move(temp), std::move(*file));
}

Result<std::unique_ptr<BlobReader>> DiskBlobStore::open(const BlobKey& key) {
  if (auto checked = check_blob_key(key); !checked) return std::unexpected(checked.error());
  auto file = DiskFile::open(path_of(key), O_RDONLY, ops_);
  if (!file) return std::unexpected(file.error());
  const auto size = file->size();
  if (!size) return std::unexpected(size.error());
  return std::make_unique<Reader>(std::move(*file), *size);
}

Result<std::unique_ptr<AppendBlob>> DiskBlobStore::open_append(const BlobKey& key) {
  if (auto checked = check_blob_key(key); !checked) return std::unexpected(checked.error());
  const fs::path path = path_of(key);
  const std::scoped_lock lock(directories_);
  if (auto made = make_parents(root_, path); !made) return std::unexpected(made.error());
  auto file = DiskFile::open(path, O_RDWR | O_CREAT, ops_);
  if (!file) return std::unexpected(file.error());
  const auto size = file->size();
  if (!size) return std::unexpected(size.error());
  return std::make_unique<Append>(*this, key, std::move(*file), *size);
}

Status DiskBlobStore::put_in_place(const fs::path& from, const BlobKey& key) {
  const fs::path to = path_of(key);
  const std::scoped_lock lock(directories_);
  if (auto made = make_parents(root_, to); !made) return made;
  if (ops_.rename(from.c_str(), to.c_str()) == 0) return {};
  return errno_failure("cannot put in place", to, errno);
}

Status DiskBlobStore::sync_name(const BlobKey& key) {
  std::unique_lock lock(directories_);
  const std::uint64_t removals = removals_;
  // Upwards until a directory whose own name is known to be durable; a crash may have left any
  // without.
  for (fs::path directory = path_of(key).parent_path();; directory = directory.parent_path()) {
    const bool last = directory == root_ || durable_directories_.contains(directory);
    lock.unlock();
    auto synced = sync_directory(directory, ops_);
    // A blob removed meanwhile may have taken its directory with it.
    if (!synced && synced.error().kind != ErrorKind::not_found) return synced;
    lock.lock();
    if (last) break;
  }
  if (removals != removals_) return {};
  for (fs::path directory = path_of(key).parent_path();
       directory != root_ && durable_directories_.insert(directory).second;) {
    directory = directory.parent_path();
  }
  return {};
}

Status DiskBlobStore::remove(const BlobKey& key) {
  if (auto checked = check_blob_key(key); !checked) return checked;
  fs::path directory = path_of(key).parent_path();
  {
    const std::scoped_lock lock(directories_);
    if (::unlink(path_of(key).c_str()) != 0) {
      if (errno == ENOENT || errno == ENOTDIR) return {};
      return errno_failure("cannot remove", path_of(key), errno);
    }
    while (directory != root_ && ::rmdir(directory.c_str()) == 0) {
      ++removals_;
      durable_directories_.erase(directory);
      directory = directory.parent_path();
    }
  }
  auto synced = sync_directory(directory, ops_);
  if (!synced && synced.error().kind == ErrorKind::not_found) return {};
  return synced;
}

Result<std::vector<BlobKey>> DiskBlobStore::list(std::string_view prefix) {
  std::vector<BlobKey> keys;
  std::error_code error;
  collect_keys(root_, root_, prefix, keys, error);
  if (error) return errno_failure("cannot list", root_, error.value());
  std::ranges::sort(keys);
  return keys;
}

Result<std::uint64_t> DiskBlobStore::free_bytes() {
  struct statvfs status{};
  if (::statvfs(root_.c_str(), &status) != 0) {
    return errno_failure("cannot ask for the free space of", root_, errno);
  }
  return std::uint64_t{status.f_bavail} * status.f_frsize;
}

}  // namespace offpeak
