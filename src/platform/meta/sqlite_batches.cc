// SqliteMetaStore: batches and leases.
#include <algorithm>

#include "core/records/batch_status.h"
#include "platform/meta/meta_errors.h"
#include "platform/meta/record_rows.h"
#include "platform/meta/sqlite_meta_store.h"
#include "platform/meta/sqlite_pages.h"
#include "platform/meta/sqlite_parts.h"

namespace offpeak {
namespace {

using sqlite::Connection;

constexpr char kNewest[] = OFFPEAK_NEWEST_PAGE(OFFPEAK_BATCH_COLUMNS, "batches", "TRUE");
constexpr char kOldest[] = OFFPEAK_OLDEST_PAGE(OFFPEAK_BATCH_COLUMNS, "batches", "TRUE");

constexpr char kInsert[] =
    "INSERT INTO batches (" OFFPEAK_BATCH_COLUMNS
    ", finished) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, "
    "?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30)";

constexpr char kUpdate[] =
    "UPDATE batches SET (" OFFPEAK_BATCH_COLUMNS
    ", finished) = (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, "
    "?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30) "
    "WHERE id = ?1 AND project_id = ?2 AND version = ?29 - 1 AND finished = 0";

Status drop_lease(Connection& writer, const BatchId& batch) {
  auto remove = writer.query("DELETE FROM leases WHERE batch_id = ?1");
  if (auto removed = remove.bind(batch).run(); !removed) return std::unexpected(removed.error());
  return {};
}

/// Why an update found no row to change.
Status refusal(Connection& writer, const BatchRecord& batch) {
  auto query = writer.query("SELECT finished FROM batches WHERE id = ?1 AND project_id = ?2");
  const auto row = query.bind(batch.id, batch.project).row();
  if (!row) return std::unexpected(row.error());
  if (!*row) return no_batch(batch.id);
  bool finished = false;
  query.read(finished);
  return finished ? batch_finished(batch.id) : batch_changed(batch.id);
}

/// Stores `batch`, whose version has been raised already.
Status store_update(Connection& writer, const BatchRecord& batch) {
  auto update = writer.query(kUpdate);
  bind_batch(update, batch);
  const auto changed = update.run();
  if (!changed) return std::unexpected(changed.error());
  if (*changed == 0) return refusal(writer, batch);
  if (!is_terminal(batch.status)) return {};
  if (auto dropped = drop_lease(writer, batch.id); !dropped) return dropped;
  return queue_deliveries(writer, batch);
}

Result<std::optional<Lease>> find_lease(Connection& writer, const BatchId& batch) {
  auto query = writer.query(
      "SELECT batch_id, worker, epoch, first, last, expires_at FROM leases WHERE batch_id = ?1");
  const auto row = query.bind(batch).row();
  if (!row) return std::unexpected(row.error());
  if (!*row) return std::nullopt;
  Lease lease;
  query.read(lease.batch, lease.worker, lease.epoch, lease.first, lease.last, lease.expires_at);
  return lease;
}

Result<std::uint64_t> raise_epoch(Connection& writer, const BatchId& batch) {
  auto raise = writer.query(
      "UPDATE batches SET lease_epoch = lease_epoch + 1 WHERE id = ?1 AND finished = 0 "
      "RETURNING lease_epoch");
  auto row = raise.bind(batch).row();
  if (!row) return std::unexpected(row.error());
  if (*row) {
    std::uint64_t epoch = 0;
    raise.read(epoch);
    if (auto ended = raise.run(); !ended) return std::unexpected(ended.error());
    return epoch;
  }
  auto known = writer.query("SELECT 1 FROM batches WHERE id = ?1");
  row = known.bind(batch).row();
  if (!row) return std::unexpected(row.error());
  if (!*row) return no_batch(batch);
  return batch_finished(batch);
}

Status store_lease(Connection& writer, const Lease& lease) {
  auto put = writer.query(
      "INSERT OR REPLACE INTO leases (batch_id, worker, epoch, first, last, expires_at) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6)");
  put.bind(lease.batch, lease.worker, lease.epoch, lease.first, lease.last, lease.expires_at);
  if (auto stored = put.run(); !stored) return std::unexpected(stored.error());
  return {};
}

/// The stored lease, if it still has `epoch`.
Result<Lease> held_lease(Connection& writer, const BatchId& batch, std::uint64_t epoch) {
  auto held = find_lease(writer, batch);
  if (!held) return std::unexpected(held.error());
  if (!*held || (*held)->epoch != epoch) return lease_lost(batch, epoch);
  return **std::move(held);
}

}  // namespace

Status SqliteMetaStore::insert_batch(const BatchRecord& batch, const RequestMark& mark) {
  return commits_.run([&](Connection& writer) -> Status {
    auto insert = writer.query(kInsert);
    bind_batch(insert, batch);
    const auto inserted = insert.run();
    if (inserted) {
      return insert_mark(writer, {batch.project, batch.id.text(), batch.created_at}, mark);
    }
    if (inserted.error().kind == ErrorKind::conflict) return id_taken(batch.id.text());
    return std::unexpected(inserted.error());
  });
}

Result<BatchRecord> SqliteMetaStore::batch(const ProjectId& project, const BatchId& id) {
  auto reader = borrow_reader();
  auto query = reader.connection.query("SELECT " OFFPEAK_BATCH_COLUMNS
                                       " FROM batches WHERE id = ?1 AND project_id = ?2");
  const auto row = query.bind(id, project).row();
  if (!row) return std::unexpected(row.error());
  if (!*row) return no_batch(id);
  return read_batch(query);
}

Result<Page<BatchRecord>> SqliteMetaStore::batches(const ProjectId& project,
                                                   const ListQuery& query) {
  auto reader = borrow_reader();
  auto page = reader.connection.query(query.order == SortOrder::newest_first ? kNewest : kOldest);
  page.bind(project, query.after, std::uint64_t{query.limit} + 1);
  return read_page<BatchRecord>(page, query.limit, read_batch);
}

Result<BatchRecord> SqliteMetaStore::update_batch(const BatchRecord& next) {
  BatchRecord stored = next;
  ++stored.version;
  auto done =
      commits_.run([&](Connection& writer) -> Status { return store_update(writer, stored); });
  if (!done) return std::unexpected(done.error());
  return stored;
}

Result<std::vector<BatchRecord>> SqliteMetaStore::unfinished_batches() {
  auto reader = borrow_reader();
  auto query = reader.connection.query("SELECT " OFFPEAK_BATCH_COLUMNS
                                       " FROM batches WHERE finished = 0 ORDER BY seq");
  return read_all<BatchRecord>(query, read_batch);
}

Result<Lease> SqliteMetaStore::acquire_lease(const BatchId& batch, const WorkerId& worker,
                                             std::uint32_t rows, UnixSeconds now,
                                             std::chrono::seconds ttl) {
  Lease lease{.batch = batch, .worker = worker, .last = rows, .expires_at = now + ttl};
  auto done = commits_.run([&](Connection& writer) -> Status {
    const auto held = find_lease(writer, batch);
    if (!held) return std::unexpected(held.error());
    if (*held && (*held)->worker != worker && (*held)->expires_at > now) {
      return lease_held(batch, (*held)->worker);
    }
    const auto epoch = raise_epoch(writer, batch);
    if (!epoch) return std::unexpected(epoch.error());
    lease.epoch = *epoch;
    return store_lease(writer, lease);
  });
  if (!done) return std::unexpected(done.error());
  return lease;
}

Result<Lease> SqliteMetaStore::renew_lease(const Lease& lease, UnixSeconds now,
                                           std::chrono::seconds ttl) {
  Lease renewed;
  auto done = commits_.run([&](Connection& writer) -> Status {
    auto held = held_lease(writer, lease.batch, lease.epoch);
    if (!held) return std::unexpected(held.error());
    renewed = std::move(*held);
    renewed.expires_at = now + ttl;
    return store_lease(writer, renewed);
  });
  if (!done) return std::unexpected(done.error());
  return renewed;
}

Result<BatchRecord> SqliteMetaStore::finish_batch(const BatchRecord& next,
                                                  std::span<const FileRecord> results,
                                                  const Lease& lease) {
  const auto foreign = [&](const FileRecord& file) { return file.project != next.project; };
  if (!is_terminal(next.status) || std::ranges::any_of(results, foreign)) {
    return wrong_results(next.id);
  }
  BatchRecord stored = next;
  ++stored.version;
  auto done = commits_.run([&](Connection& writer) -> Status {
    auto held = held_lease(writer, next.id, lease.epoch);
    if (!held) return std::unexpected(held.error());
    for (const FileRecord& file : results) {
      if (auto inserted = insert_file_row(writer, file); !inserted) return inserted;
    }
    return store_update(writer, stored);
  });
  if (!done) return std::unexpected(done.error());
  return stored;
}

}  // namespace offpeak
