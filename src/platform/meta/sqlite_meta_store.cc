// Opening, projects, keys and the health check; files and batches have sources of their own.
#include "platform/meta/sqlite_meta_store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "platform/meta/meta_errors.h"
#include "platform/meta/migrations.h"

namespace offpeak {
namespace fs = std::filesystem;
namespace {

constexpr const char* kWriterPragmas =
    "PRAGMA journal_mode = WAL;"
    "PRAGMA synchronous = FULL;"
    "PRAGMA foreign_keys = ON;"
    "PRAGMA secure_delete = ON;"
    "PRAGMA journal_size_limit = 67108864;";

constexpr const char* kReaderPragmas = "PRAGMA wal_autocheckpoint = 0; PRAGMA query_only = ON;";

std::unexpected<Error> errno_failure(std::string_view what, const fs::path& path) {
  return std::unexpected(errno_error(fmt::format("{} '{}'", what, path.string()), errno));
}

/// SQLite gives its other files the mode of the database.
Status make_private_file(const fs::path& file) {
  const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return errno_failure("cannot open", file);
  const bool made_private = ::fchmod(fd, 0600) == 0;
  const int error = errno;
  ::close(fd);
  errno = error;
  if (!made_private) return errno_failure("cannot make private", file);
  const int directory = ::open(file.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return errno_failure("cannot open", file.parent_path());
  const bool synced = ::fsync(directory) == 0;
  ::close(directory);
  if (!synced) return fail(ErrorKind::internal, fmt::format("fsync failed on '{}'", file.string()));
  return {};
}

Result<std::unique_ptr<sqlite::Connection>> open_writer(const fs::path& file,
                                                        const std::string& vfs) {
  auto writer = sqlite::Connection::open(file.string(), sqlite::Connection::Mode::read_write, vfs);
  if (!writer) return writer;
  auto done = (*writer)->exec(kWriterPragmas);
  if (done) done = migrate(**writer);
  if (done) return writer;
  Error error = done.error();
  error.message = fmt::format("{} ('{}')", error.message, file.string());
  return std::unexpected(std::move(error));
}

}  // namespace

SqliteMetaStore::FileLock::~FileLock() {
  ::close(fd_);
}

Result<std::unique_ptr<SqliteMetaStore::FileLock>> SqliteMetaStore::lock_file(
    const fs::path& file) {
  // A file of its own: closing any descriptor of the database would drop SQLite's locks on it.
  const fs::path path = file.string() + ".lock";
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return errno_failure("cannot open", path);
  auto lock = std::make_unique<FileLock>(fd);
  if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno != EWOULDBLOCK) return errno_failure("cannot lock", path);
  return fail(ErrorKind::conflict,
              fmt::format("another offpeak has '{}' open; stop it, or use another data directory",
                          file.string()));
}

Result<std::unique_ptr<SqliteMetaStore>> SqliteMetaStore::open(const fs::path& file,
                                                               const std::string& vfs) {
  std::error_code error;
  const fs::path path = fs::absolute(file, error);
  auto lock = lock_file(path);
  if (!lock) return std::unexpected(lock.error());
  if (auto made = make_private_file(path); !made) return std::unexpected(made.error());
  auto writer = open_writer(path, vfs);
  if (!writer) return std::unexpected(writer.error());

  auto store =
      std::unique_ptr<SqliteMetaStore>(new SqliteMetaStore(std::move(*lock), std::move(*writer)));
  for (Reader& reader : store->readers_) {
    auto opened = sqlite::Connection::open(path.string(), sqlite::Connection::Mode::read_only, vfs);
    if (!opened) return std::unexpected(opened.error());
    reader.connection = std::move(*opened);
    if (auto set = reader.connection->exec(kReaderPragmas); !set) {
      return std::unexpected(set.error());
    }
  }
  return store;
}

SqliteMetaStore::SqliteMetaStore(std::unique_ptr<FileLock> lock,
                                 std::unique_ptr<sqlite::Connection> writer)
    : lock_(std::move(lock)), writer_(std::move(writer)) {}

SqliteMetaStore::~SqliteMetaStore() = default;

SqliteMetaStore::BorrowedReader SqliteMetaStore::borrow_reader() {
  const std::size_t start = next_reader_.fetch_add(1, std::memory_order_relaxed);
  for (std::size_t i = 0; i < kReaders; ++i) {
    Reader& reader = readers_[(start + i) % kReaders];
    std::unique_lock lock(reader.mutex, std::try_to_lock);
    if (lock) return {std::move(lock), *reader.connection};
  }
  Reader& reader = readers_[start % kReaders];
  return {std::unique_lock(reader.mutex), *reader.connection};
}

Status SqliteMetaStore::create_project(const Project& project, const ApiKey& first_key) {
  return commits_.run([&](sqlite::Connection& writer) -> Status {
    auto named = writer.query("SELECT 1 FROM projects WHERE name = ?1");
    const auto taken = named.bind(project.name).row();
    if (!taken) return std::unexpected(taken.error());
    if (*taken) return name_taken(project.name);
    auto insert = writer.query("INSERT INTO projects (id, name, created_at) VALUES (?1, ?2, ?3)");
    auto inserted = insert.bind(project.id, project.name, project.created_at).run();
    if (!inserted) return std::unexpected(inserted.error());
    auto insert_key = writer.query(
        "INSERT INTO api_keys (id, project_id, sha256, redacted, created_at, revoked_at) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6)");
    inserted = insert_key
                   .bind(first_key.id, first_key.project, first_key.sha256, first_key.redacted,
                         first_key.created_at, first_key.revoked_at)
                   .run();
    if (!inserted) return std::unexpected(inserted.error());
    return {};
  });
}

Result<std::vector<Project>> SqliteMetaStore::projects() {
  auto reader = borrow_reader();
  auto query = reader.connection.query("SELECT id, name, created_at FROM projects ORDER BY seq");
  std::vector<Project> found;
  while (true) {
    const auto row = query.row();
    if (!row) return std::unexpected(row.error());
    if (!*row) return found;
    Project& project = found.emplace_back();
    query.read(project.id, project.name, project.created_at);
  }
}

Result<std::optional<ApiKey>> SqliteMetaStore::find_key(std::string_view sha256) {
  auto reader = borrow_reader();
  auto query = reader.connection.query(
      "SELECT id, project_id, sha256, redacted, created_at, revoked_at FROM api_keys "
      "WHERE sha256 = ?1 AND revoked_at IS NULL");
  const auto row = query.bind(sha256).row();
  if (!row) return std::unexpected(row.error());
  if (!*row) return std::nullopt;
  ApiKey key;
  query.read(key.id, key.project, key.sha256, key.redacted, key.created_at, key.revoked_at);
  return key;
}

Status SqliteMetaStore::check() {
  if (auto writable = commits_.check(); !writable) return writable;
  auto reader = borrow_reader();
  auto query = reader.connection.query("PRAGMA user_version");
  const auto row = query.row();
  if (!row) return std::unexpected(row.error());
  int version = 0;
  query.read(version);
  if (version == schema_version()) return {};
  return fail(ErrorKind::internal, fmt::format("the metadata has schema {} now", version));
}

}  // namespace offpeak
