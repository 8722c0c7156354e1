// Webhook objects of the API as JSON, keys in the order of contract section 7.4; deliveries are
// offpeak's own.
#pragma once

#include <boost/json/object.hpp>
#include <span>
#include <string>
#include <string_view>

#include "core/records/webhook.h"

namespace offpeak {

/// With `signing_secret` only if one is given: the replies of create and rotate_secret.
boost::json::object webhook_endpoint_object(const WebhookEndpoint& endpoint,
                                            std::string_view secret = {});
boost::json::object webhook_test_object(const WebhookEndpointId& endpoint,
                                        std::string_view event_type, int status);
/// {"object":"list","data":["batch.completed",…]}
boost::json::object webhook_event_type_list(std::span<const std::string_view> types);

boost::json::object webhook_delivery_object(const WebhookDelivery& delivery);
/// With `log`, one entry per attempt.
boost::json::object webhook_delivery_object(const WebhookDelivery& delivery,
                                            std::span<const DeliveryAttempt> attempts);

}  // namespace offpeak
