// Webhook endpoints and the deliveries of events to them, as the metadata store keeps them
// (contract section 7).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/id.h"
#include "core/records/batch_status.h"

namespace offpeak {

/// A signing secret is kept sealed (encrypted under the data directory's key).
struct WebhookEndpoint {
  WebhookEndpointId id;
  ProjectId project;
  UnixSeconds created_at;
  UnixSeconds updated_at;
  std::string name;
  std::string url;
  std::vector<std::string> event_types;
  std::string sealed_secret;
  std::string secret_hint;        // what may be shown: "whsec_…a1B2"
  std::string sealed_old_secret;  // signs too until old_secret_until; empty: none
  std::optional<UnixSeconds> old_secret_until;

  bool operator==(const WebhookEndpoint&) const = default;
};

enum class DeliveryState { pending, delivered, given_up };

constexpr std::string_view to_string(DeliveryState state) {
  switch (state) {
    case DeliveryState::pending:
      return "pending";
    case DeliveryState::delivered:
      return "delivered";
    case DeliveryState::given_up:
      return "given_up";
  }
  return "";
}

/// One event on its way to one endpoint. `webhook_id` stays the same over all attempts and replays.
struct WebhookDelivery {
  WebhookDeliveryId id;
  ProjectId project;
  WebhookEndpointId endpoint;
  std::string event_id;    // "evt_…", the same at every endpoint
  std::string webhook_id;  // "wh_…"
  std::string event_type;  // "batch.completed"
  BatchId batch;
  UnixSeconds event_at;
  DeliveryState state = DeliveryState::pending;
  std::uint32_t attempts = 0;   // since the event, or since the last replay
  UnixSeconds next_attempt_at;  // pending only

  bool operator==(const WebhookDelivery&) const = default;
};

/// One line of the delivery log.
struct DeliveryAttempt {
  UnixSeconds at;
  int status = 0;  // 0: no HTTP answer, `error` says why
  std::uint32_t duration_ms = 0;
  std::string error;

  bool operator==(const DeliveryAttempt&) const = default;
};

/// The event that a batch's terminal status is; empty for other statuses.
constexpr std::string_view event_type_of(BatchStatus status) {
  switch (status) {
    case BatchStatus::completed:
      return "batch.completed";
    case BatchStatus::failed:
      return "batch.failed";
    case BatchStatus::expired:
      return "batch.expired";
    case BatchStatus::cancelled:
      return "batch.cancelled";
    default:
      return "";
  }
}

}  // namespace offpeak
