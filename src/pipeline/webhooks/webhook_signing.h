// An event as the signed HTTP request that one endpoint gets (contract sections 7.2 and 7.3).
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "core/records/webhook.h"
#include "core/webhook/event.h"
#include "platform/crypto/secret_box.h"
#include "platform/webclient/webhook_sender.h"

namespace offpeak {

/// Signed as of `now`, with the endpoint's secret and, while it is still active, the one before.
/// nullopt if the secret cannot be opened: it was sealed under another key.
std::optional<WebhookRequest> signed_request(const WebhookEndpoint& endpoint, const SecretBox& box,
                                             const std::string& webhook_id,
                                             const WebhookEvent& event, UnixSeconds now);

inline constexpr std::string_view kUnreadableSecret =
    "The endpoint's signing secret cannot be read. Rotate it.";

}  // namespace offpeak
