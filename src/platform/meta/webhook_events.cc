#include "platform/meta/webhook_events.h"

#include <fmt/format.h>

#include "base/hash.h"

namespace offpeak {
namespace {

UnixSeconds ended_at(const BatchRecord& batch) {
  switch (batch.status) {
    case BatchStatus::completed:
      return batch.completed_at.value_or(batch.created_at);
    case BatchStatus::failed:
      return batch.failed_at.value_or(batch.created_at);
    case BatchStatus::expired:
      return batch.expired_at.value_or(batch.created_at);
    default:
      return batch.cancelled_at.value_or(batch.created_at);
  }
}

}  // namespace

WebhookDelivery delivery_of(const BatchRecord& batch, const WebhookEndpointId& endpoint) {
  constexpr std::string_view kPrefix = "batch_";
  std::string_view name = batch.id.text();
  if (name.starts_with(kPrefix)) name.remove_prefix(kPrefix.size());
  return {.id = WebhookDeliveryId("whd_" + hash128_hex(fmt::format("{}\n{}", batch.id, endpoint))),
          .project = batch.project,
          .endpoint = endpoint,
          .event_id = fmt::format("evt_{}", name),
          .webhook_id = fmt::format("wh_{}", name),
          .event_type = std::string(event_type_of(batch.status)),
          .batch = batch.id,
          .event_at = ended_at(batch),
          .next_attempt_at = ended_at(batch)};
}

}  // namespace offpeak
