// SqliteMetaStore: recognising requests.
#include "platform/meta/meta_errors.h"
#include "platform/meta/sqlite_meta_store.h"
#include "platform/meta/sqlite_parts.h"

namespace offpeak {

using sqlite::Connection;

Status insert_mark(Connection& writer, const Made& made, const RequestMark& mark) {
  if (mark.empty()) return {};
  auto insert = writer.query(
      "INSERT OR REPLACE INTO requests (project_id, fingerprint, idempotency_key, object, "
      "created_at) VALUES (?1, ?2, nullif(?3, ''), ?4, ?5)");
  insert.bind(made.project, mark.fingerprint, mark.idempotency_key, made.object, made.at);
  const auto inserted = insert.run();
  if (inserted) return {};
  if (inserted.error().kind == ErrorKind::not_found) return no_project(made.project);
  return std::unexpected(inserted.error());
}

Result<std::optional<std::string>> SqliteMetaStore::made_by(const ProjectId& project,
                                                            std::string_view fingerprint,
                                                            UnixSeconds since) {
  auto reader = borrow_reader();
  auto query = reader.connection.query(
      "SELECT object FROM requests WHERE project_id = ?1 AND fingerprint = ?2 "
      "AND created_at >= ?3 AND object <> '' ORDER BY seq DESC LIMIT 1");
  const auto row = query.bind(project, fingerprint, since).row();
  if (!row) return std::unexpected(row.error());
  if (!*row) return std::nullopt;
  std::string object;
  query.read(object);
  return object;
}

Result<std::optional<KeyedRequest>> SqliteMetaStore::keyed_request(const ProjectId& project,
                                                                   std::string_view idempotency_key,
                                                                   UnixSeconds since) {
  auto reader = borrow_reader();
  auto query = reader.connection.query(
      "SELECT fingerprint, object, reply_status, reply_type, reply_body FROM requests "
      "WHERE project_id = ?1 AND idempotency_key = ?2 AND created_at >= ?3");
  const auto row = query.bind(project, idempotency_key, since).row();
  if (!row) return std::unexpected(row.error());
  if (!*row) return std::nullopt;
  KeyedRequest request;
  std::optional<int> status;
  query.read(request.fingerprint, request.object, status);
  if (status) {
    StoredReply& reply = request.reply.emplace(StoredReply{.status = *status});
    query.read(reply.content_type, reply.body);
  }
  return request;
}

Status SqliteMetaStore::keep_reply(const ProjectId& project, const RequestMark& mark,
                                   const StoredReply& reply, UnixSeconds now) {
  if (mark.empty() || mark.idempotency_key.empty()) return {};
  return commits_.run([&](Connection& writer) -> Status {
    auto put = writer.query(
        "INSERT INTO requests (project_id, fingerprint, idempotency_key, object, created_at, "
        "reply_status, reply_type, reply_body) VALUES (?1, ?2, ?3, '', ?4, ?5, ?6, ?7) "
        "ON CONFLICT (project_id, idempotency_key) WHERE idempotency_key IS NOT NULL DO UPDATE SET "
        "object = iif(fingerprint = excluded.fingerprint, object, ''), "
        "fingerprint = excluded.fingerprint, created_at = excluded.created_at, "
        "reply_status = excluded.reply_status, reply_type = excluded.reply_type, "
        "reply_body = excluded.reply_body");
    put.bind(project, mark.fingerprint, mark.idempotency_key, now, reply.status, reply.content_type,
             reply.body);
    const auto kept = put.run();
    if (kept) return {};
    if (kept.error().kind == ErrorKind::not_found) return no_project(project);
    return std::unexpected(kept.error());
  });
}

Status SqliteMetaStore::forget_requests(UnixSeconds keyed, UnixSeconds unkeyed) {
  return commits_.run([&](Connection& writer) -> Status {
    auto drop_keyed =
        writer.query("DELETE FROM requests WHERE idempotency_key IS NOT NULL AND created_at < ?1");
    if (auto done = drop_keyed.bind(keyed).run(); !done) return std::unexpected(done.error());
    auto drop_unkeyed =
        writer.query("DELETE FROM requests WHERE idempotency_key IS NULL AND created_at < ?1");
    if (auto done = drop_unkeyed.bind(unkeyed).run(); !done) return std::unexpected(done.error());
    return {};
  });
}

}  // namespace offpeak
