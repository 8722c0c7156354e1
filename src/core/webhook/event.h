// What is sent: the event as JSON, and the text its signature covers (Standard Webhooks;
// contract sections 7.1 to 7.3).
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/id.h"

namespace offpeak {

/// What can be subscribed to.
std::span<const std::string_view> webhook_event_types();
bool is_webhook_event_type(std::string_view name);

struct WebhookEvent {
  std::string id;  // "evt_…"
  std::string type;
  UnixSeconds created_at;
  BatchId batch;
};

/// {"id":"evt_…","object":"event","type":"batch.completed","created_at":…,"data":{"id":"batch_…"}}
std::string event_payload(const WebhookEvent& event);

/// "<webhook-id>.<seconds>.<payload>"
std::string signed_text(std::string_view webhook_id, UnixSeconds timestamp,
                        std::string_view payload);

/// What may be shown of a secret: "whsec_…a1B2".
std::string secret_hint(std::string_view secret);

}  // namespace offpeak
