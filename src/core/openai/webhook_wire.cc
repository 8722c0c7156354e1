#include "core/openai/webhook_wire.h"

#include <boost/json/array.hpp>
#include <utility>

namespace offpeak {
namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;

value seconds(UnixSeconds time) {
  return time.time_since_epoch().count();
}

object attempt_object(const DeliveryAttempt& attempt) {
  return object{{"at", seconds(attempt.at)},
                {"status_code", attempt.status == 0 ? value(nullptr) : value(attempt.status)},
                {"duration_ms", attempt.duration_ms},
                {"error", attempt.error.empty() ? value(nullptr) : value(attempt.error)}};
}

}  // namespace

object webhook_endpoint_object(const WebhookEndpoint& endpoint, std::string_view secret) {
  object made{{"id", endpoint.id.text()},
              {"object", "webhook_endpoint"},
              {"created_at", seconds(endpoint.created_at)},
              {"updated_at", seconds(endpoint.updated_at)},
              {"name", endpoint.name},
              {"url", endpoint.url},
              {"event_types", array(endpoint.event_types.begin(), endpoint.event_types.end())},
              {"signing_secret_hint", endpoint.secret_hint}};
  if (!secret.empty()) made["signing_secret"] = secret;
  return made;
}

object webhook_test_object(const WebhookEndpointId& endpoint, std::string_view event_type,
                           int status) {
  return object{{"object", "webhook_endpoint.test"},
                {"webhook_endpoint_id", endpoint.text()},
                {"event_type", event_type},
                {"status_code", status},
                {"success", true}};
}

object webhook_event_type_list(std::span<const std::string_view> types) {
  return object{{"object", "list"}, {"data", array(types.begin(), types.end())}};
}

object webhook_delivery_object(const WebhookDelivery& delivery) {
  const bool pending = delivery.state == DeliveryState::pending;
  return object{{"id", delivery.id.text()},
                {"object", "webhook_delivery"},
                {"created_at", seconds(delivery.event_at)},
                {"webhook_endpoint_id", delivery.endpoint.text()},
                {"webhook_id", delivery.webhook_id},
                {"event_id", delivery.event_id},
                {"event_type", delivery.event_type},
                {"batch_id", delivery.batch.text()},
                {"status", to_string(delivery.state)},
                {"attempts", delivery.attempts},
                {"next_attempt_at", pending ? seconds(delivery.next_attempt_at) : value(nullptr)}};
}

object webhook_delivery_object(const WebhookDelivery& delivery,
                               std::span<const DeliveryAttempt> attempts) {
  array log;
  for (const DeliveryAttempt& attempt : attempts) log.push_back(attempt_object(attempt));
  object made = webhook_delivery_object(delivery);
  made["log"] = std::move(log);
  return made;
}

}  // namespace offpeak
