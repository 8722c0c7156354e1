// MemoryMetaStore: recognising requests.
#include <algorithm>
#include <ranges>

#include "platform/meta/memory_meta_store.h"
#include "platform/meta/memory_rows.h"
#include "platform/meta/meta_errors.h"

namespace offpeak {

MemoryMetaStore::RequestRow* MemoryMetaStore::find_keyed(const ProjectId& project,
                                                         std::string_view idempotency_key) {
  if (idempotency_key.empty()) return nullptr;
  const auto row = std::ranges::find_if(requests_, [&](const RequestRow& known) {
    return known.project == project && known.idempotency_key == idempotency_key;
  });
  return row == requests_.end() ? nullptr : &*row;
}

void MemoryMetaStore::add_mark(const ProjectId& project, const RequestMark& mark,
                               const std::string& object, UnixSeconds made_at) {
  if (mark.empty()) return;
  if (const RequestRow* const row = find_keyed(project, mark.idempotency_key)) {
    requests_.erase(requests_.begin() + (row - requests_.data()));
  }
  requests_.push_back({.project = project,
                       .known = {.fingerprint = mark.fingerprint, .object = object, .reply = {}},
                       .idempotency_key = mark.idempotency_key,
                       .made_at = made_at});
}

Result<std::optional<std::string>> MemoryMetaStore::made_by(const ProjectId& project,
                                                            std::string_view fingerprint,
                                                            UnixSeconds since) {
  const std::scoped_lock lock(mutex_);
  for (const RequestRow& row : std::views::reverse(requests_)) {
    if (row.project == project && row.known.fingerprint == fingerprint && row.made_at >= since &&
        !row.known.object.empty()) {
      return row.known.object;
    }
  }
  return std::nullopt;
}

Result<std::optional<KeyedRequest>> MemoryMetaStore::keyed_request(const ProjectId& project,
                                                                   std::string_view idempotency_key,
                                                                   UnixSeconds since) {
  const std::scoped_lock lock(mutex_);
  const RequestRow* const row = find_keyed(project, idempotency_key);
  if (row == nullptr || row->made_at < since) return std::nullopt;
  return row->known;
}

Status MemoryMetaStore::keep_reply(const ProjectId& project, const RequestMark& mark,
                                   const StoredReply& reply, UnixSeconds now) {
  if (mark.empty() || mark.idempotency_key.empty()) return {};
  const std::scoped_lock lock(mutex_);
  if (auto writable = check_writable(); !writable) return writable;
  if (!contains(projects_, project, &Project::id)) return no_project(project);
  RequestRow* row = find_keyed(project, mark.idempotency_key);
  if (row == nullptr) {
    row = &requests_.emplace_back();
    row->project = project;
    row->idempotency_key = mark.idempotency_key;
  }
  if (row->known.fingerprint != mark.fingerprint) row->known.object.clear();
  row->known.fingerprint = mark.fingerprint;
  row->known.reply = reply;
  row->made_at = now;
  return {};
}

Status MemoryMetaStore::forget_requests(UnixSeconds keyed, UnixSeconds unkeyed) {
  const std::scoped_lock lock(mutex_);
  if (auto writable = check_writable(); !writable) return writable;
  std::erase_if(requests_, [&](const RequestRow& row) {
    return row.made_at < (row.idempotency_key.empty() ? unkeyed : keyed);
  });
  return {};
}

}  // namespace offpeak
