// SqliteMetaStore: uploads in parts.
#include <fmt/format.h>

#include "platform/meta/meta_errors.h"
#include "platform/meta/record_json.h"
#include "platform/meta/sqlite_meta_store.h"
#include "platform/meta/sqlite_pages.h"
#include "platform/meta/sqlite_parts.h"

#define OFFPEAK_UPLOAD_COLUMNS                                                    \
  "id, project_id, bytes, created_at, expires_at, filename, purpose, mime_type, " \
  "file_expires_after_s, status, file_id"
#define OFFPEAK_PART_COLUMNS "id, upload_id, created_at, bytes, blob"

namespace offpeak {
namespace {

using sqlite::Connection;
using sqlite::Query;

Result<UploadStatus> parse_status(std::string_view text) {
  using enum UploadStatus;
  for (const UploadStatus status : {pending, completed, cancelled, expired}) {
    if (text == to_string(status)) return status;
  }
  return fail(ErrorKind::internal,
              fmt::format("the metadata is damaged: an upload has status '{}'", text));
}

Result<UploadRecord> read_upload(Query& query) {
  UploadRecord upload;
  std::string status;
  query.read(upload.id, upload.project, upload.bytes, upload.created_at, upload.expires_at,
             upload.filename, upload.purpose, upload.mime_type, upload.file_expires_after_s, status,
             upload.file);
  const auto parsed = parse_status(status);
  if (!parsed) return std::unexpected(parsed.error());
  upload.status = *parsed;
  return upload;
}

Result<UploadPart> read_part(Query& query) {
  UploadPart part;
  query.read(part.id, part.upload, part.created_at, part.bytes, part.blob);
  return part;
}

Result<UploadRecord> find_upload(Connection& connection, const ProjectId& project,
                                 const UploadId& id) {
  auto query = connection.query("SELECT " OFFPEAK_UPLOAD_COLUMNS
                                " FROM uploads WHERE id = ?1 AND project_id = ?2");
  const auto row = query.bind(id, project).row();
  if (!row) return std::unexpected(row.error());
  if (!*row) return no_upload(id);
  return read_upload(query);
}

Result<UploadRecord> pending_upload(Connection& writer, const ProjectId& project,
                                    const UploadId& id) {
  auto upload = find_upload(writer, project, id);
  if (upload && upload->status != UploadStatus::pending) return upload_closed(id, upload->status);
  return upload;
}

Status ran(const Result<std::size_t>& result) {
  if (!result) return std::unexpected(result.error());
  return {};
}

Status store_status(Connection& writer, const UploadRecord& upload) {
  auto update = writer.query("UPDATE uploads SET status = ?2, file_id = ?3 WHERE id = ?1");
  return ran(update.bind(upload.id, to_string(upload.status), upload.file).run());
}

/// All but those that hold `content`.
Status kill_parts(Connection& writer, const UploadId& upload, const std::vector<Extent>& content) {
  auto update = writer.query(
      "UPDATE upload_parts SET state = 1 WHERE upload_id = ?1 AND blob NOT IN "
      "(SELECT value ->> 'blob' FROM json_each(?2))");
  return ran(update.bind(upload, extents_to_json(content)).run());
}

Status check_room_for_part(Connection& writer, const UploadId& upload) {
  auto query = writer.query("SELECT count(*) FROM upload_parts WHERE upload_id = ?1");
  const auto row = query.bind(upload).row();
  if (!row) return std::unexpected(row.error());
  std::size_t count = 0;
  query.read(count);
  if (count >= kUploadPartsMax) return too_many_parts(upload);
  return {};
}

}  // namespace

Status forget_upload_of(Connection& writer, const FileId& file) {
  auto drop_parts = writer.query(
      "DELETE FROM upload_parts WHERE state = 0 AND upload_id IN "
      "(SELECT id FROM uploads WHERE file_id = ?1)");
  if (auto done = ran(drop_parts.bind(file).run()); !done) return done;
  auto update = writer.query("UPDATE uploads SET filename = '' WHERE file_id = ?1");
  return ran(update.bind(file).run());
}

Status SqliteMetaStore::insert_upload(const UploadRecord& upload, const RequestMark& mark) {
  return commits_.run([&](Connection& writer) -> Status {
    auto insert = writer.query("INSERT INTO uploads (" OFFPEAK_UPLOAD_COLUMNS
                               ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)");
    insert.bind(upload.id, upload.project, upload.bytes, upload.created_at, upload.expires_at,
                upload.filename, upload.purpose, upload.mime_type, upload.file_expires_after_s,
                to_string(upload.status), upload.file);
    const auto inserted = insert.run();
    if (inserted) {
      return insert_mark(writer, {upload.project, upload.id.text(), upload.created_at}, mark);
    }
    if (inserted.error().kind == ErrorKind::conflict) return id_taken(upload.id.text());
    if (inserted.error().kind == ErrorKind::not_found) return no_project(upload.project);
    return std::unexpected(inserted.error());
  });
}

Result<UploadRecord> SqliteMetaStore::upload(const ProjectId& project, const UploadId& id) {
  auto reader = borrow_reader();
  return find_upload(reader.connection, project, id);
}

Status SqliteMetaStore::insert_part(const ProjectId& project, const UploadPart& part,
                                    const RequestMark& mark) {
  return commits_.run([&](Connection& writer) -> Status {
    const auto upload = pending_upload(writer, project, part.upload);
    if (!upload) return std::unexpected(upload.error());
    if (auto room = check_room_for_part(writer, part.upload); !room) return room;
    auto insert = writer.query("INSERT INTO upload_parts (" OFFPEAK_PART_COLUMNS
                               ") VALUES (?1, ?2, ?3, ?4, ?5)");
    insert.bind(part.id, part.upload, part.created_at, part.bytes, part.blob);
    const auto inserted = insert.run();
    if (inserted) return insert_mark(writer, {project, part.id.text(), part.created_at}, mark);
    if (inserted.error().kind == ErrorKind::conflict) return id_taken(part.id.text());
    return std::unexpected(inserted.error());
  });
}

Result<UploadPart> SqliteMetaStore::part(const ProjectId& project, const PartId& id) {
  auto reader = borrow_reader();
  auto query = reader.connection.query(
      "SELECT " OFFPEAK_PART_COLUMNS
      " FROM upload_parts WHERE id = ?1 AND state = 0 AND EXISTS"
      " (SELECT 1 FROM uploads WHERE uploads.id = upload_id AND project_id = ?2)");
  const auto row = query.bind(id, project).row();
  if (!row) return std::unexpected(row.error());
  if (!*row) return no_part(id);
  return read_part(query);
}

Result<std::vector<UploadPart>> SqliteMetaStore::parts(const ProjectId& project,
                                                       const UploadId& upload) {
  auto reader = borrow_reader();
  const auto known = find_upload(reader.connection, project, upload);
  if (!known) return std::unexpected(known.error());
  auto query =
      reader.connection.query("SELECT " OFFPEAK_PART_COLUMNS
                              " FROM upload_parts WHERE upload_id = ?1 AND state = 0 ORDER BY seq");
  return read_all<UploadPart>(query.bind(upload), read_part);
}

Result<UploadRecord> SqliteMetaStore::complete_upload(const ProjectId& project, const UploadId& id,
                                                      const FileRecord& file) {
  UploadRecord stored;
  auto done = commits_.run([&](Connection& writer) -> Status {
    auto upload = pending_upload(writer, project, id);
    if (!upload) return std::unexpected(upload.error());
    if (auto inserted = insert_file_row(writer, file); !inserted) return inserted;
    stored = std::move(*upload);
    stored.status = UploadStatus::completed;
    stored.file = file.id;
    if (auto updated = store_status(writer, stored); !updated) return updated;
    return kill_parts(writer, id, file.content);
  });
  if (!done) return std::unexpected(done.error());
  return stored;
}

Result<UploadRecord> SqliteMetaStore::cancel_upload(const ProjectId& project, const UploadId& id) {
  UploadRecord stored;
  auto done = commits_.run([&](Connection& writer) -> Status {
    auto upload = pending_upload(writer, project, id);
    if (!upload) return std::unexpected(upload.error());
    stored = std::move(*upload);
    stored.status = UploadStatus::cancelled;
    if (auto updated = store_status(writer, stored); !updated) return updated;
    return kill_parts(writer, id, {});
  });
  if (!done) return std::unexpected(done.error());
  return stored;
}

Result<std::size_t> SqliteMetaStore::expire_uploads(UnixSeconds now) {
  std::size_t count = 0;
  auto done = commits_.run([&](Connection& writer) -> Status {
    auto kill = writer.query(
        "UPDATE upload_parts SET state = 1 WHERE upload_id IN "
        "(SELECT id FROM uploads WHERE status = 'pending' AND expires_at <= ?1)");
    if (auto killed = ran(kill.bind(now).run()); !killed) return killed;
    auto expire = writer.query(
        "UPDATE uploads SET status = 'expired' WHERE status = 'pending' AND expires_at <= ?1");
    const auto expired = expire.bind(now).run();
    if (!expired) return std::unexpected(expired.error());
    count = *expired;
    return {};
  });
  if (!done) return std::unexpected(done.error());
  return count;
}

Result<std::vector<UploadPart>> SqliteMetaStore::dead_parts(std::size_t limit) {
  auto reader = borrow_reader();
  auto query = reader.connection.query("SELECT " OFFPEAK_PART_COLUMNS
                                       " FROM upload_parts WHERE state = 1 ORDER BY seq LIMIT ?1");
  return read_all<UploadPart>(query.bind(limit), read_part);
}

Status SqliteMetaStore::forget_part(const PartId& id) {
  return commits_.run([&](Connection& writer) -> Status {
    auto drop = writer.query("DELETE FROM upload_parts WHERE id = ?1 AND state = 1");
    const auto dropped = drop.bind(id).run();
    if (!dropped) return std::unexpected(dropped.error());
    if (*dropped > 0) return {};
    auto known = writer.query("SELECT 1 FROM upload_parts WHERE id = ?1");
    const auto row = known.bind(id).row();
    if (!row) return std::unexpected(row.error());
    if (!*row) return no_part(id);
    return part_in_use(id);
  });
}

}  // namespace offpeak
