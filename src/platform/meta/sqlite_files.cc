// SqliteMetaStore: files.
#include "platform/meta/meta_errors.h"
#include "platform/meta/record_rows.h"
#include "platform/meta/sqlite_meta_store.h"
#include "platform/meta/sqlite_pages.h"
#include "platform/meta/sqlite_parts.h"

namespace offpeak {
namespace {

constexpr char kNewest[] = OFFPEAK_NEWEST_PAGE(OFFPEAK_FILE_COLUMNS, "files", "state = 0");
constexpr char kOldest[] = OFFPEAK_OLDEST_PAGE(OFFPEAK_FILE_COLUMNS, "files", "state = 0");
constexpr char kNewestOfPurpose[] =
    OFFPEAK_NEWEST_PAGE(OFFPEAK_FILE_COLUMNS, "files", "state = 0 AND purpose = ?4");
constexpr char kOldestOfPurpose[] =
    OFFPEAK_OLDEST_PAGE(OFFPEAK_FILE_COLUMNS, "files", "state = 0 AND purpose = ?4");

const char* listing(const ListQuery& query) {
  const bool newest = query.order == SortOrder::newest_first;
  if (query.purpose.empty()) return newest ? kNewest : kOldest;
  return newest ? kNewestOfPurpose : kOldestOfPurpose;
}

Result<FileRecord> read_one_file(sqlite::Query& query, const FileId& id) {
  const auto row = query.row();
  if (!row) return std::unexpected(row.error());
  if (!*row) return no_file(id);
  return read_file(query);
}

}  // namespace

Status insert_file_row(sqlite::Connection& writer, const FileRecord& file) {
  auto insert = writer.query("INSERT INTO files (" OFFPEAK_FILE_COLUMNS
                             ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
  bind_file(insert, file);
  const auto inserted = insert.run();
  if (inserted) return {};
  if (inserted.error().kind == ErrorKind::conflict) return id_taken(file.id.text());
  if (inserted.error().kind == ErrorKind::not_found) return no_project(file.project);
  return std::unexpected(inserted.error());
}

Status SqliteMetaStore::insert_file(const FileRecord& file, const RequestMark& mark) {
  return commits_.run([&](sqlite::Connection& writer) -> Status {
    if (auto inserted = insert_file_row(writer, file); !inserted) return inserted;
    return insert_mark(writer, {file.project, file.id.text(), file.created_at}, mark);
  });
}

Result<FileRecord> SqliteMetaStore::file(const ProjectId& project, const FileId& id) {
  auto reader = borrow_reader();
  auto query = reader.connection.query(
      "SELECT " OFFPEAK_FILE_COLUMNS " FROM files WHERE id = ?1 AND project_id = ?2 AND state = 0");
  query.bind(id, project);
  return read_one_file(query, id);
}

Result<Page<FileRecord>> SqliteMetaStore::files(const ProjectId& project, const ListQuery& query) {
  auto reader = borrow_reader();
  auto page = reader.connection.query(listing(query));
  page.bind(project, query.after, std::uint64_t{query.limit} + 1);
  if (!query.purpose.empty()) page.bind(query.purpose);
  return read_page<FileRecord>(page, query.limit, read_file);
}

Result<FileRecord> SqliteMetaStore::delete_file(const ProjectId& project, const FileId& id) {
  FileRecord deleted;
  auto done = commits_.run([&](sqlite::Connection& writer) -> Status {
    auto update = writer.query(
        "UPDATE files SET state = 1 WHERE id = ?1 AND project_id = ?2 AND state = 0 "
        "RETURNING " OFFPEAK_FILE_COLUMNS);
    update.bind(id, project);
    auto record = read_one_file(update, id);
    if (!record) return std::unexpected(record.error());
    deleted = std::move(*record);
    if (auto ended = update.run(); !ended) return std::unexpected(ended.error());
    return {};
  });
  if (!done) return std::unexpected(done.error());
  return deleted;
}

Result<std::size_t> SqliteMetaStore::delete_expired_files(UnixSeconds now) {
  std::size_t count = 0;
  auto done = commits_.run([&](sqlite::Connection& writer) -> Status {
    auto update = writer.query("UPDATE files SET state = 1 WHERE state = 0 AND expires_at <= ?1");
    const auto changed = update.bind(now).run();
    if (!changed) return std::unexpected(changed.error());
    count = *changed;
    return {};
  });
  if (!done) return std::unexpected(done.error());
  return count;
}

Result<std::vector<FileRecord>> SqliteMetaStore::purgeable_files(std::size_t limit) {
  auto reader = borrow_reader();
  auto query = reader.connection.query(
      "SELECT " OFFPEAK_FILE_COLUMNS
      " FROM files WHERE state = 1 AND NOT EXISTS"
      " (SELECT 1 FROM batches WHERE input_file_id = files.id AND finished = 0)"
      " ORDER BY seq LIMIT ?1");
  query.bind(limit);
  return read_all<FileRecord>(query, read_file);
}

Status SqliteMetaStore::purge_file(const FileId& id) {
  return commits_.run([&](sqlite::Connection& writer) -> Status {
    auto update = writer.query(
        "UPDATE files SET state = 2, content = '[]', filename = '' WHERE id = ?1 AND state <> 0 "
        "AND NOT EXISTS (SELECT 1 FROM batches WHERE input_file_id = ?1 AND finished = 0)");
    const auto changed = update.bind(id).run();
    if (!changed) return std::unexpected(changed.error());
    if (*changed > 0) return forget_upload_of(writer, id);
    auto known = writer.query("SELECT 1 FROM files WHERE id = ?1");
    const auto row = known.bind(id).row();
    if (!row) return std::unexpected(row.error());
    if (!*row) return no_file(id);
    return file_in_use(id);
  });
}

Result<FileRecord> SqliteMetaStore::batch_input(const BatchRecord& batch) {
  auto reader = borrow_reader();
  auto query = reader.connection.query(
      "SELECT " OFFPEAK_FILE_COLUMNS " FROM files WHERE id = ?1 AND project_id = ?2 AND state < 2");
  query.bind(batch.input_file, batch.project);
  return read_one_file(query, batch.input_file);
}

}  // namespace offpeak
