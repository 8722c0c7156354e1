#include "pipeline/dispatch/upstream_slots.h"

#include <utility>

#include "pipeline/upstream/upstream_client.h"

namespace offpeak {

UpstreamSlots::UpstreamSlots(UpstreamIndex index, UpstreamSettings settings,
                             const http::ClientContext& context)
    : index_(index), settings_(std::move(settings)), context_(context) {}

Slot& UpstreamSlots::acquire() {
  ++busy_;
  if (!free_.empty()) {
    Slot* const slot = free_.back();
    free_.pop_back();
    return *slot;
  }
  slots_.push_back(std::make_unique<Slot>(context_, settings_.endpoint));
  return *slots_.back();
}

void UpstreamSlots::release(Slot& slot) {
  --busy_;
  free_.push_back(&slot);
}

void UpstreamSlots::abort(BatchTicket batch) {
  for (const auto& slot : slots_) {
    if (slot->sending && slot->batch == batch) slot->connection.abort();
  }
}

void UpstreamSlots::abort_all() {
  for (const auto& slot : slots_) {
    if (slot->sending) slot->connection.abort();
  }
}

std::string_view UpstreamSlots::head(const std::string& endpoint) {
  auto found = heads_.find(endpoint);
  if (found == heads_.end()) {
    found = heads_.emplace(endpoint, request_head(settings_, "POST", endpoint)).first;
  }
  return found->second;
}

}  // namespace offpeak
