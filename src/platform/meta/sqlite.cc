#include "platform/meta/sqlite.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <cerrno>
#include <utility>

namespace offpeak::sqlite {

Query::Query(Query&& other) noexcept
    : connection_(other.connection_),
      statement_(std::exchange(other.statement_, nullptr)),
      parameter_(other.parameter_),
      column_(other.column_),
      bind_result_(other.bind_result_) {}

Query::~Query() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

void Query::bind_text(std::string_view text) {
  ++parameter_;
  if (statement_ == nullptr) return;
  const char* const data = text.data() == nullptr ? "" : text.data();
  const int result =
      sqlite3_bind_text64(statement_, parameter_, data, text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  if (result != SQLITE_OK) bind_result_ = result;
}

void Query::bind_integer(std::int64_t value) {
  ++parameter_;
  if (statement_ == nullptr) return;
  const int result = sqlite3_bind_int64(statement_, parameter_, value);
  if (result != SQLITE_OK) bind_result_ = result;
}

void Query::bind_null() {
  ++parameter_;  // parameters start out null
}

Result<bool> Query::row() {
  if (statement_ == nullptr) {
    return std::unexpected(connection_->error(sqlite3_extended_errcode(connection_->handle_)));
  }
  if (bind_result_ != SQLITE_OK) return std::unexpected(connection_->error(bind_result_));
  column_ = 0;
  const int result = sqlite3_step(statement_);
  if (result == SQLITE_ROW) return true;
  if (result == SQLITE_DONE) return false;
  return std::unexpected(connection_->error(result));
}

Result<std::size_t> Query::run() {
  while (true) {
    const auto more = row();
    if (!more) return std::unexpected(more.error());
    if (!*more) return static_cast<std::size_t>(sqlite3_changes64(connection_->handle_));
  }
}

std::string Query::next_text() {
  const int column = column_++;
  const auto* const text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  if (text == nullptr) return {};
  return std::string(text, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)));
}

std::int64_t Query::next_integer() {
  return sqlite3_column_int64(statement_, column_++);
}

bool Query::next_is_null() const {
  return sqlite3_column_type(statement_, column_) == SQLITE_NULL;
}

Result<std::unique_ptr<Connection>> Connection::open(const std::string& file, Mode mode,
                                                     const std::string& vfs) {
  sqlite3* handle = nullptr;
  const int flags = (mode == Mode::read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) |
                    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int result =
      sqlite3_open_v2(file.c_str(), &handle, flags, vfs.empty() ? nullptr : vfs.c_str());
  auto connection = std::unique_ptr<Connection>(new Connection(handle));
  if (result != SQLITE_OK) {
    Error error = connection->error(result);
    error.message = fmt::format("cannot open '{}': {}", file, error.message);
    return std::unexpected(std::move(error));
  }
  sqlite3_busy_timeout(handle, 5000);
  return connection;
}

Connection::~Connection() {
  for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close(handle_);
}

Status Connection::exec(const char* sql) {
  const int result = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
  if (result != SQLITE_OK) return std::unexpected(error(result));
  return {};
}

Query Connection::query(const char* sql) {
  sqlite3_stmt*& statement = statements_[sql];
  if (statement == nullptr) {
    sqlite3_prepare_v3(handle_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  }
  return Query(*this, statement);
}

bool Connection::in_transaction() const {
  return sqlite3_get_autocommit(handle_) == 0;
}

Error Connection::error(int code) {
  const std::string text = handle_ == nullptr
                               ? sqlite3_errstr(code)
                               : fmt::format("{} (SQLite {})", sqlite3_errmsg(handle_), code);
  const int system_error = handle_ == nullptr ? 0 : sqlite3_system_errno(handle_);
  const bool no_room = system_error == ENOSPC || system_error == EDQUOT;
  switch (code & 0xff) {
    case SQLITE_FULL:
      return {ErrorKind::storage_full, "no room for the metadata: " + text};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {ErrorKind::unavailable, "the metadata is busy: " + text};
    case SQLITE_CONSTRAINT:
      return {code == SQLITE_CONSTRAINT_FOREIGNKEY ? ErrorKind::not_found : ErrorKind::conflict,
              "the metadata refuses it: " + text};
    case SQLITE_IOERR:
      if (code == SQLITE_IOERR_NOMEM) break;
      if (no_room && code != SQLITE_IOERR_FSYNC && code != SQLITE_IOERR_DIR_FSYNC) {
        return {ErrorKind::storage_full, "no room for the metadata: " + text};
      }
      // After a failed write or fsync nobody knows what is on the disk; trying again would lie.
      sqlite3_db_config(handle_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
      broken_ =
          Error{ErrorKind::internal, "the disk of the metadata failed (fsync or worse): " + text};
      return *broken_;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      broken_ = Error{ErrorKind::internal, "the metadata is damaged: " + text};
      return *broken_;
    default:
      break;
  }
  return {ErrorKind::internal, "the metadata failed: " + text};
}

}  // namespace offpeak::sqlite
