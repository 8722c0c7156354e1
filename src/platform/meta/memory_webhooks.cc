// MemoryMetaStore: webhook endpoints, deliveries and their log.
#include <algorithm>
#include <map>

#include "platform/meta/memory_meta_store.h"
#include "platform/meta/memory_rows.h"
#include "platform/meta/meta_errors.h"
#include "platform/meta/webhook_events.h"

namespace offpeak {

MemoryMetaStore::EndpointRow* MemoryMetaStore::find_endpoint(const ProjectId& project,
                                                             const WebhookEndpointId& id) {
  const auto row = std::ranges::find_if(endpoints_, [&](const EndpointRow& known) {
    return known.record.id == id && known.record.project == project;
  });
  return row == endpoints_.end() ? nullptr : &*row;
}

MemoryMetaStore::DeliveryRow* MemoryMetaStore::find_delivery(const ProjectId& project,
                                                             const WebhookDeliveryId& id) {
  const auto row = std::ranges::find_if(deliveries_, [&](const DeliveryRow& known) {
    return known.record.id == id && known.record.project == project;
  });
  return row == deliveries_.end() ? nullptr : &*row;
}

void MemoryMetaStore::queue_deliveries(const BatchRecord& batch) {
  for (const EndpointRow& row : endpoints_) {
    const auto& types = row.record.event_types;
    if (row.deleted || row.record.project != batch.project ||
        std::ranges::find(types, event_type_of(batch.status)) == types.end()) {
      continue;
    }
    deliveries_.push_back({.record = delivery_of(batch, row.record.id)});
  }
}

Status MemoryMetaStore::insert_endpoint(const WebhookEndpoint& endpoint, const RequestMark& mark) {
  const std::scoped_lock lock(mutex_);
  if (auto writable = check_writable(); !writable) return writable;
  const auto is_taken = [&](const EndpointRow& row) { return row.record.id == endpoint.id; };
  if (std::ranges::any_of(endpoints_, is_taken)) return id_taken(endpoint.id.text());
  if (!contains(projects_, endpoint.project, &Project::id)) return no_project(endpoint.project);
  endpoints_.push_back({.record = endpoint});
  add_mark(endpoint.project, mark, endpoint.id.text(), endpoint.created_at);
  return {};
}

Result<WebhookEndpoint> MemoryMetaStore::endpoint(const ProjectId& project,
                                                  const WebhookEndpointId& id) {
  const std::scoped_lock lock(mutex_);
  const EndpointRow* const row = find_endpoint(project, id);
  if (row == nullptr || row->deleted) return no_endpoint(id);
  return row->record;
}

Result<Page<WebhookEndpoint>> MemoryMetaStore::endpoints(const ProjectId& project,
                                                         const ListQuery& query) {
  const std::scoped_lock lock(mutex_);
  std::optional<std::size_t> after;
  if (!query.after.empty()) {
    const EndpointRow* const last = find_endpoint(project, WebhookEndpointId(query.after));
    if (last == nullptr) return Page<WebhookEndpoint>{};
    after = static_cast<std::size_t>(last - endpoints_.data());
  }
  return page_of<WebhookEndpoint>(endpoints_, after, query, [&](const EndpointRow& row) {
    return row.record.project == project && !row.deleted;
  });
}

Status MemoryMetaStore::update_endpoint(const WebhookEndpoint& endpoint) {
  const std::scoped_lock lock(mutex_);
  if (auto writable = check_writable(); !writable) return writable;
  EndpointRow* const row = find_endpoint(endpoint.project, endpoint.id);
  if (row == nullptr || row->deleted) return no_endpoint(endpoint.id);
  const UnixSeconds created_at = row->record.created_at;
  row->record = endpoint;
  row->record.created_at = created_at;
  return {};
}

Status MemoryMetaStore::delete_endpoint(const ProjectId& project, const WebhookEndpointId& id) {
  const std::scoped_lock lock(mutex_);
  if (auto writable = check_writable(); !writable) return writable;
  EndpointRow* const row = find_endpoint(project, id);
  if (row == nullptr || row->deleted) return no_endpoint(id);
  row->deleted = true;
  for (DeliveryRow& delivery : deliveries_) {
    if (delivery.record.endpoint != id) continue;
    if (delivery.record.state == DeliveryState::pending) delivery.dropped = true;
  }
  return {};
}

Result<std::vector<WebhookDelivery>> MemoryMetaStore::due_deliveries(UnixSeconds now,
                                                                     std::size_t limit,
                                                                     std::size_t per_endpoint) {
  const std::scoped_lock lock(mutex_);
  std::multimap<UnixSeconds, const WebhookDelivery*> pending;  // equal times: oldest first
  for (const DeliveryRow& row : deliveries_) {
    if (row.dropped || row.record.state != DeliveryState::pending) continue;
    if (row.record.next_attempt_at <= now) pending.emplace(row.record.next_attempt_at, &row.record);
  }
  std::vector<WebhookDelivery> due;
  std::map<WebhookEndpointId, std::size_t> taken;
  for (const auto& [at, delivery] : pending) {
    if (due.size() == limit) break;
    if (++taken[delivery->endpoint] <= per_endpoint) due.push_back(*delivery);
  }
  return due;
}

Result<std::optional<UnixSeconds>> MemoryMetaStore::next_delivery_at() {
  const std::scoped_lock lock(mutex_);
  std::optional<UnixSeconds> next;
  for (const DeliveryRow& row : deliveries_) {
    if (row.dropped || row.record.state != DeliveryState::pending) continue;
    next = std::min(next.value_or(row.record.next_attempt_at), row.record.next_attempt_at);
  }
  return next;
}

Status MemoryMetaStore::record_attempt(const WebhookDelivery& next,
                                       const DeliveryAttempt& attempt) {
  const std::scoped_lock lock(mutex_);
  if (auto writable = check_writable(); !writable) return writable;
  DeliveryRow* const row = find_delivery(next.project, next.id);
  if (row == nullptr || row->dropped) return no_delivery(next.id);
  row->record.state = next.state;
  row->record.attempts = next.attempts;
  row->record.next_attempt_at = next.next_attempt_at;
  row->log.push_back(attempt);
  return {};
}

Result<Page<WebhookDelivery>> MemoryMetaStore::deliveries(const ProjectId& project,
                                                          const WebhookEndpointId& endpoint,
                                                          const ListQuery& query) {
  const std::scoped_lock lock(mutex_);
  std::optional<std::size_t> after;
  if (!query.after.empty()) {
    const DeliveryRow* const last = find_delivery(project, WebhookDeliveryId(query.after));
    if (last == nullptr) return Page<WebhookDelivery>{};
    after = static_cast<std::size_t>(last - deliveries_.data());
  }
  return page_of<WebhookDelivery>(deliveries_, after, query, [&](const DeliveryRow& row) {
    return row.record.project == project && !row.dropped &&
           (endpoint.empty() || row.record.endpoint == endpoint);
  });
}

Result<WebhookDelivery> MemoryMetaStore::delivery(const ProjectId& project,
                                                  const WebhookDeliveryId& id) {
  const std::scoped_lock lock(mutex_);
  const DeliveryRow* const row = find_delivery(project, id);
  if (row == nullptr || row->dropped) return no_delivery(id);
  return row->record;
}

Result<std::vector<DeliveryAttempt>> MemoryMetaStore::attempts(const ProjectId& project,
                                                               const WebhookDeliveryId& id) {
  const std::scoped_lock lock(mutex_);
  const DeliveryRow* const row = find_delivery(project, id);
  if (row == nullptr || row->dropped) return no_delivery(id);
  return row->log;
}

Result<WebhookDelivery> MemoryMetaStore::replay_delivery(const ProjectId& project,
                                                         const WebhookDeliveryId& id,
                                                         UnixSeconds now) {
  const std::scoped_lock lock(mutex_);
  if (auto writable = check_writable(); !writable) return std::unexpected(writable.error());
  DeliveryRow* const row = find_delivery(project, id);
  if (row == nullptr || row->dropped) return no_delivery(id);
  const EndpointRow* const endpoint = find_endpoint(project, row->record.endpoint);
  if (endpoint == nullptr || endpoint->deleted) return endpoint_deleted(row->record.endpoint);
  row->record.state = DeliveryState::pending;
  row->record.attempts = 0;
  row->record.next_attempt_at = now;
  return row->record;
}

Status MemoryMetaStore::forget_deliveries(UnixSeconds before) {
  const std::scoped_lock lock(mutex_);
  if (auto writable = check_writable(); !writable) return writable;
  std::erase_if(deliveries_, [&](const DeliveryRow& row) {
    const bool pending = row.record.state == DeliveryState::pending && !row.dropped;
    return !pending && row.record.event_at < before;
  });
  return {};
}

}  // namespace offpeak
