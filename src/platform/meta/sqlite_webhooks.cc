// SqliteMetaStore: webhook endpoints.
#include "platform/meta/meta_errors.h"
#include "platform/meta/record_json.h"
#include "platform/meta/sqlite_meta_store.h"
#include "platform/meta/sqlite_pages.h"
#include "platform/meta/sqlite_parts.h"

#define OFFPEAK_ENDPOINT_COLUMNS                                                    \
  "id, project_id, created_at, updated_at, name, url, event_types, sealed_secret, " \
  "secret_hint, sealed_old_secret, old_secret_until"

namespace offpeak {
namespace {

using sqlite::Connection;
using sqlite::Query;

constexpr char kNewestEndpoints[] =
    OFFPEAK_NEWEST_PAGE(OFFPEAK_ENDPOINT_COLUMNS, "webhook_endpoints", "deleted = 0");
constexpr char kOldestEndpoints[] =
    OFFPEAK_OLDEST_PAGE(OFFPEAK_ENDPOINT_COLUMNS, "webhook_endpoints", "deleted = 0");

Result<WebhookEndpoint> read_endpoint(Query& query) {
  WebhookEndpoint endpoint;
  std::string event_types;
  query.read(endpoint.id, endpoint.project, endpoint.created_at, endpoint.updated_at, endpoint.name,
             endpoint.url, event_types, endpoint.sealed_secret, endpoint.secret_hint,
             endpoint.sealed_old_secret, endpoint.old_secret_until);
  auto types = texts_from_json(event_types);
  if (!types) return std::unexpected(types.error());
  endpoint.event_types = std::move(*types);
  return endpoint;
}

}  // namespace

Status SqliteMetaStore::insert_endpoint(const WebhookEndpoint& endpoint, const RequestMark& mark) {
  return commits_.run([&](Connection& writer) -> Status {
    auto insert = writer.query("INSERT INTO webhook_endpoints (" OFFPEAK_ENDPOINT_COLUMNS
                               ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)");
    insert.bind(endpoint.id, endpoint.project, endpoint.created_at, endpoint.updated_at,
                endpoint.name, endpoint.url, texts_to_json(endpoint.event_types),
                endpoint.sealed_secret, endpoint.secret_hint, endpoint.sealed_old_secret,
                endpoint.old_secret_until);
    const auto inserted = insert.run();
    if (inserted) {
      return insert_mark(writer, {endpoint.project, endpoint.id.text(), endpoint.created_at}, mark);
    }
    if (inserted.error().kind == ErrorKind::conflict) return id_taken(endpoint.id.text());
    if (inserted.error().kind == ErrorKind::not_found) return no_project(endpoint.project);
    return std::unexpected(inserted.error());
  });
}

Result<WebhookEndpoint> SqliteMetaStore::endpoint(const ProjectId& project,
                                                  const WebhookEndpointId& id) {
  auto reader = borrow_reader();
  auto query = reader.connection.query(
      "SELECT " OFFPEAK_ENDPOINT_COLUMNS
      " FROM webhook_endpoints WHERE id = ?1 AND project_id = ?2 AND deleted = 0");
  const auto row = query.bind(id, project).row();
  if (!row) return std::unexpected(row.error());
  if (!*row) return no_endpoint(id);
  return read_endpoint(query);
}

Result<Page<WebhookEndpoint>> SqliteMetaStore::endpoints(const ProjectId& project,
                                                         const ListQuery& query) {
  auto reader = borrow_reader();
  auto page = reader.connection.query(query.order == SortOrder::newest_first ? kNewestEndpoints
                                                                             : kOldestEndpoints);
  page.bind(project, query.after, std::uint64_t{query.limit} + 1);
  return read_page<WebhookEndpoint>(page, query.limit, read_endpoint);
}

Status SqliteMetaStore::update_endpoint(const WebhookEndpoint& endpoint) {
  return commits_.run([&](Connection& writer) -> Status {
    auto update = writer.query(
        "UPDATE webhook_endpoints SET updated_at = ?3, name = ?4, url = ?5, event_types = ?6, "
        "sealed_secret = ?7, secret_hint = ?8, sealed_old_secret = ?9, old_secret_until = ?10 "
        "WHERE id = ?1 AND project_id = ?2 AND deleted = 0");
    update.bind(endpoint.id, endpoint.project, endpoint.updated_at, endpoint.name, endpoint.url,
                texts_to_json(endpoint.event_types), endpoint.sealed_secret, endpoint.secret_hint,
                endpoint.sealed_old_secret, endpoint.old_secret_until);
    const auto changed = update.run();
    if (!changed) return std::unexpected(changed.error());
    if (*changed == 0) return no_endpoint(endpoint.id);
    return {};
  });
}

Status SqliteMetaStore::delete_endpoint(const ProjectId& project, const WebhookEndpointId& id) {
  return commits_.run([&](Connection& writer) -> Status {
    auto hide = writer.query(
        "UPDATE webhook_endpoints SET deleted = 1, name = '', url = '', sealed_secret = '', "
        "secret_hint = '', sealed_old_secret = '' "
        "WHERE id = ?1 AND project_id = ?2 AND deleted = 0");
    const auto changed = hide.bind(id, project).run();
    if (!changed) return std::unexpected(changed.error());
    if (*changed == 0) return no_endpoint(id);
    auto drop = writer.query(
        "UPDATE webhook_deliveries SET state = 'dropped' "
        "WHERE endpoint_id = ?1 AND state = 'pending'");
    if (auto dropped = drop.bind(id).run(); !dropped) return std::unexpected(dropped.error());
    return {};
  });
}

}  // namespace offpeak
