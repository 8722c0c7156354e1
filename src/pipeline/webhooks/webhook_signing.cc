#include "pipeline/webhooks/webhook_signing.h"

#include <fmt/format.h>

#include <utility>

#include "platform/crypto/webhook_signature.h"

namespace offpeak {

std::optional<WebhookRequest> signed_request(const WebhookEndpoint& endpoint, const SecretBox& box,
                                             const std::string& webhook_id,
                                             const WebhookEvent& event, UnixSeconds now) {
  const auto secret = box.open(endpoint.sealed_secret, endpoint.id.text());
  if (!secret) return std::nullopt;
  WebhookRequest request{.url = endpoint.url, .body = event_payload(event)};
  const std::string text = signed_text(webhook_id, now, request.body);
  std::string signatures = webhook_signature(*secret, text);
  if (endpoint.old_secret_until && now < *endpoint.old_secret_until) {
    if (const auto old = box.open(endpoint.sealed_old_secret, endpoint.id.text())) {
      signatures += " " + webhook_signature(*old, text);
    }
  }
  request.headers = {{"content-type", "application/json"},
                     {"user-agent", "offpeak/" OFFPEAK_VERSION},
                     {"webhook-id", webhook_id},
                     {"webhook-timestamp", fmt::format("{}", now.time_since_epoch().count())},
                     {"webhook-signature", std::move(signatures)}};
  return request;
}

}  // namespace offpeak
