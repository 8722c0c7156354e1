// SqliteMetaStore: webhook deliveries and their log.
#include <fmt/format.h>

#include "platform/meta/meta_errors.h"
#include "platform/meta/sqlite_meta_store.h"
#include "platform/meta/sqlite_pages.h"
#include "platform/meta/sqlite_parts.h"
#include "platform/meta/webhook_events.h"

#define OFFPEAK_DELIVERY_COLUMNS                                                        \
  "id, project_id, endpoint_id, event_id, webhook_id, event_type, batch_id, event_at, " \
  "state, attempts, next_attempt_at"

namespace offpeak {
namespace {

using sqlite::Connection;
using sqlite::Query;

constexpr char kNewestDeliveries[] =
    OFFPEAK_NEWEST_PAGE(OFFPEAK_DELIVERY_COLUMNS, "webhook_deliveries", "state <> 'dropped'");
constexpr char kOldestDeliveries[] =
    OFFPEAK_OLDEST_PAGE(OFFPEAK_DELIVERY_COLUMNS, "webhook_deliveries", "state <> 'dropped'");
constexpr char kNewestOfEndpoint[] = OFFPEAK_NEWEST_PAGE(
    OFFPEAK_DELIVERY_COLUMNS, "webhook_deliveries", "endpoint_id = ?4 AND state <> 'dropped'");
constexpr char kOldestOfEndpoint[] = OFFPEAK_OLDEST_PAGE(
    OFFPEAK_DELIVERY_COLUMNS, "webhook_deliveries", "endpoint_id = ?4 AND state <> 'dropped'");

const char* deliveries_listing(bool newest, bool of_endpoint) {
  if (of_endpoint) return newest ? kNewestOfEndpoint : kOldestOfEndpoint;
  return newest ? kNewestDeliveries : kOldestDeliveries;
}

Result<DeliveryState> parse_state(std::string_view text) {
  using enum DeliveryState;
  for (const DeliveryState state : {pending, delivered, given_up}) {
    if (text == to_string(state)) return state;
  }
  return fail(ErrorKind::internal,
              fmt::format("the metadata is damaged: a delivery has state '{}'", text));
}

Result<WebhookDelivery> read_delivery(Query& query) {
  WebhookDelivery delivery;
  std::string state;
  query.read(delivery.id, delivery.project, delivery.endpoint, delivery.event_id,
             delivery.webhook_id, delivery.event_type, delivery.batch, delivery.event_at, state,
             delivery.attempts, delivery.next_attempt_at);
  const auto parsed = parse_state(state);
  if (!parsed) return std::unexpected(parsed.error());
  delivery.state = *parsed;
  return delivery;
}

Status insert_delivery(Connection& writer, const WebhookDelivery& delivery) {
  auto insert = writer.query("INSERT INTO webhook_deliveries (" OFFPEAK_DELIVERY_COLUMNS
                             ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)");
  insert.bind(delivery.id, delivery.project, delivery.endpoint, delivery.event_id,
              delivery.webhook_id, delivery.event_type, delivery.batch, delivery.event_at,
              to_string(delivery.state), delivery.attempts, delivery.next_attempt_at);
  if (auto inserted = insert.run(); !inserted) return std::unexpected(inserted.error());
  return {};
}

Result<WebhookDelivery> find_delivery(Connection& connection, const ProjectId& project,
                                      const WebhookDeliveryId& id) {
  auto query = connection.query(
      "SELECT " OFFPEAK_DELIVERY_COLUMNS
      " FROM webhook_deliveries WHERE id = ?1 AND project_id = ?2 AND state <> 'dropped'");
  const auto row = query.bind(id, project).row();
  if (!row) return std::unexpected(row.error());
  if (!*row) return no_delivery(id);
  return read_delivery(query);
}

/// not_found if no visible delivery was there to change.
Status update_delivery(Connection& writer, const WebhookDelivery& next) {
  auto update = writer.query(
      "UPDATE webhook_deliveries SET state = ?3, attempts = ?4, next_attempt_at = ?5 "
      "WHERE id = ?1 AND project_id = ?2 AND state <> 'dropped'");
  update.bind(next.id, next.project, to_string(next.state), next.attempts, next.next_attempt_at);
  const auto changed = update.run();
  if (!changed) return std::unexpected(changed.error());
  if (*changed == 0) return no_delivery(next.id);
  return {};
}

Result<bool> is_live(Connection& connection, const WebhookEndpointId& id) {
  auto query = connection.query("SELECT 1 FROM webhook_endpoints WHERE id = ?1 AND deleted = 0");
  return query.bind(id).row();
}

Result<DeliveryAttempt> read_attempt(Query& query) {
  DeliveryAttempt attempt;
  query.read(attempt.at, attempt.status, attempt.duration_ms, attempt.error);
  return attempt;
}

}  // namespace

Status queue_deliveries(Connection& writer, const BatchRecord& batch) {
  auto subscribed = writer.query(
      "SELECT id FROM webhook_endpoints WHERE project_id = ?1 AND deleted = 0 AND EXISTS "
      "(SELECT 1 FROM json_each(event_types) WHERE value = ?2) ORDER BY seq");
  subscribed.bind(batch.project, event_type_of(batch.status));
  while (true) {
    const auto row = subscribed.row();
    if (!row) return std::unexpected(row.error());
    if (!*row) return {};
    WebhookEndpointId endpoint;
    subscribed.read(endpoint);
    auto queued = insert_delivery(writer, delivery_of(batch, endpoint));
    if (!queued) return queued;
  }
}

Result<std::vector<WebhookDelivery>> SqliteMetaStore::due_deliveries(UnixSeconds now,
                                                                     std::size_t limit,
                                                                     std::size_t per_endpoint) {
  auto reader = borrow_reader();
  // A few look-ups per endpoint, however many deliveries are due.
  auto query = reader.connection.query(
      "SELECT " OFFPEAK_DELIVERY_COLUMNS
      " FROM (SELECT id AS live_endpoint FROM webhook_endpoints WHERE deleted = 0) "
      "CROSS JOIN webhook_deliveries WHERE seq IN ("
      "SELECT due.seq FROM webhook_deliveries AS due WHERE due.endpoint_id = live_endpoint AND "
      "due.state = 'pending' AND due.next_attempt_at <= ?1 "
      "ORDER BY due.next_attempt_at, due.seq LIMIT ?3) "
      "ORDER BY next_attempt_at, seq LIMIT ?2");
  return read_all<WebhookDelivery>(query.bind(now, limit, per_endpoint), read_delivery);
}

Result<std::optional<UnixSeconds>> SqliteMetaStore::next_delivery_at() {
  auto reader = borrow_reader();
  auto query = reader.connection.query(
      "SELECT next_attempt_at FROM webhook_deliveries WHERE state = 'pending' "
      "ORDER BY next_attempt_at LIMIT 1");
  const auto row = query.row();
  if (!row) return std::unexpected(row.error());
  if (!*row) return std::nullopt;
  UnixSeconds at;
  query.read(at);
  return at;
}

Status SqliteMetaStore::record_attempt(const WebhookDelivery& next,
                                       const DeliveryAttempt& attempt) {
  return commits_.run([&](Connection& writer) -> Status {
    if (auto updated = update_delivery(writer, next); !updated) return updated;
    auto insert = writer.query(
        "INSERT INTO delivery_attempts (delivery_id, at, status, duration_ms, error) "
        "VALUES (?1, ?2, ?3, ?4, ?5)");
    insert.bind(next.id, attempt.at, attempt.status, attempt.duration_ms, attempt.error);
    if (auto inserted = insert.run(); !inserted) return std::unexpected(inserted.error());
    return {};
  });
}

Result<Page<WebhookDelivery>> SqliteMetaStore::deliveries(const ProjectId& project,
                                                          const WebhookEndpointId& endpoint,
                                                          const ListQuery& query) {
  auto reader = borrow_reader();
  auto page = reader.connection.query(
      deliveries_listing(query.order == SortOrder::newest_first, !endpoint.empty()));
  page.bind(project, query.after, std::uint64_t{query.limit} + 1);
  if (!endpoint.empty()) page.bind(endpoint);
  return read_page<WebhookDelivery>(page, query.limit, read_delivery);
}

Result<WebhookDelivery> SqliteMetaStore::delivery(const ProjectId& project,
                                                  const WebhookDeliveryId& id) {
  auto reader = borrow_reader();
  return find_delivery(reader.connection, project, id);
}

Result<std::vector<DeliveryAttempt>> SqliteMetaStore::attempts(const ProjectId& project,
                                                               const WebhookDeliveryId& id) {
  auto reader = borrow_reader();
  if (auto known = find_delivery(reader.connection, project, id); !known) {
    return std::unexpected(known.error());
  }
  auto query = reader.connection.query(
      "SELECT at, status, duration_ms, error FROM delivery_attempts WHERE delivery_id = ?1 "
      "ORDER BY seq");
  return read_all<DeliveryAttempt>(query.bind(id), read_attempt);
}

Result<WebhookDelivery> SqliteMetaStore::replay_delivery(const ProjectId& project,
                                                         const WebhookDeliveryId& id,
                                                         UnixSeconds now) {
  WebhookDelivery stored;
  auto done = commits_.run([&](Connection& writer) -> Status {
    auto known = find_delivery(writer, project, id);
    if (!known) return std::unexpected(known.error());
    const auto live = is_live(writer, known->endpoint);
    if (!live) return std::unexpected(live.error());
    if (!*live) return endpoint_deleted(known->endpoint);
    stored = std::move(*known);
    stored.state = DeliveryState::pending;
    stored.attempts = 0;
    stored.next_attempt_at = now;
    return update_delivery(writer, stored);
  });
  if (!done) return std::unexpected(done.error());
  return stored;
}

Status SqliteMetaStore::forget_deliveries(UnixSeconds before) {
  return commits_.run([&](Connection& writer) -> Status {
    auto drop_log = writer.query(
        "DELETE FROM delivery_attempts WHERE delivery_id IN "
        "(SELECT id FROM webhook_deliveries WHERE state <> 'pending' AND event_at < ?1)");
    if (auto done = drop_log.bind(before).run(); !done) return std::unexpected(done.error());
    auto drop =
        writer.query("DELETE FROM webhook_deliveries WHERE state <> 'pending' AND event_at < ?1");
    if (auto done = drop.bind(before).run(); !done) return std::unexpected(done.error());
    return {};
  });
}

}  // namespace offpeak
