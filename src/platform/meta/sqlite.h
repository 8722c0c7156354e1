// A thin, safe face on SQLite's C interface: connections, prepared statements kept open, values
// bound and read by type. Used by one thread at a time; callers lock.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>

#include "base/clock.h"
#include "base/error.h"
#include "base/id.h"

struct sqlite3;
struct sqlite3_stmt;

namespace offpeak::sqlite {

class Connection;

/// One use of a prepared statement; ends it when destroyed, and must not outlive its connection.
/// Errors of preparing and binding come out of row() and run().
class Query {
 public:
  Query(Query&& other) noexcept;
  Query& operator=(Query&&) = delete;
  ~Query();

  /// Binds the next parameters, from ?1 on: integers, text, ids, times, and optionals of these.
  template <class... Values>
  Query& bind(const Values&... values) {
    (bind_one(values), ...);
    return *this;
  }

  /// Steps to the next row; false after the last.
  Result<bool> row();
  /// Runs to the end; says how many rows it changed.
  Result<std::size_t> run();

  /// Reads the next columns of the current row, from the left.
  template <class... Fields>
  void read(Fields&... fields) {
    (read_one(fields), ...);
  }

 private:
  friend class Connection;
  Query(Connection& connection, sqlite3_stmt* statement)
      : connection_(&connection), statement_(statement) {}

  void bind_text(std::string_view text);
  void bind_integer(std::int64_t value);
  void bind_null();
  void bind_one(std::string_view text) { bind_text(text); }
  void bind_one(UnixSeconds time) { bind_integer(time.time_since_epoch().count()); }
  template <class Tag>
  void bind_one(const Id<Tag>& id) {
    bind_text(id.text());
  }
  template <class Integer>
    requires std::is_integral_v<Integer>
  void bind_one(Integer value) {
    bind_integer(static_cast<std::int64_t>(value));
  }
  template <class T>
  void bind_one(const std::optional<T>& value) {
    value ? bind_one(*value) : bind_null();
  }

  std::string next_text();
  std::int64_t next_integer();
  bool next_is_null() const;
  void read_one(std::string& text) { text = next_text(); }
  void read_one(UnixSeconds& time) { time = UnixSeconds(std::chrono::seconds(next_integer())); }
  template <class Tag>
  void read_one(Id<Tag>& id) {
    id = Id<Tag>(next_text());
  }
  template <class Integer>
    requires std::is_integral_v<Integer>
  void read_one(Integer& value) {
    value = static_cast<Integer>(next_integer());
  }
  template <class T>
  void read_one(std::optional<T>& value) {
    if (next_is_null()) {
      value.reset();
      ++column_;
    } else {
      read_one(value.emplace());
    }
  }

  Connection* connection_;
  sqlite3_stmt* statement_;  // null: preparing failed
  int parameter_ = 0;
  int column_ = 0;
  int bind_result_ = 0;
};

class Connection {
 public:
  enum class Mode { read_write, read_only };

  /// Opens an existing file. `vfs` empty: SQLite's default.
  static Result<std::unique_ptr<Connection>> open(const std::string& file, Mode mode,
                                                  const std::string& vfs);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  /// Runs statements without parameters and drops their rows.
  Status exec(const char* sql);
  /// `sql` must live as long as the connection: its address is the key of the kept statement.
  Query query(const char* sql);
  bool in_transaction() const;

  /// Set once the disk or the file has failed in a way that makes going on unsafe.
  const std::optional<Error>& broken() const { return broken_; }
  /// The Error that SQLite's result code means just now.
  Error error(int code);

 private:
  explicit Connection(sqlite3* handle) : handle_(handle) {}
  friend class Query;

  sqlite3* handle_;
  std::unordered_map<const char*, sqlite3_stmt*> statements_;
  std::optional<Error> broken_;
};

}  // namespace offpeak::sqlite
