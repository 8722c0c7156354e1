// The event that a batch's end is, in the words of both metadata stores.
#pragma once

#include "core/records/batch.h"
#include "core/records/webhook.h"

namespace offpeak {

/// A pending delivery to `endpoint` of the event that `batch`, in a terminal status, is. Always the
/// same one for the same two.
WebhookDelivery delivery_of(const BatchRecord& batch, const WebhookEndpointId& endpoint);

}  // namespace offpeak
