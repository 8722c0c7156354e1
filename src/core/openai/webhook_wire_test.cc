#include "core/openai/webhook_wire.h"

#include <gtest/gtest.h>

#include <array>
#include <boost/json/serialize.hpp>

namespace offpeak {
namespace {

using namespace std::chrono_literals;

const WebhookEndpoint kEndpoint{.id = WebhookEndpointId("whe_1"),
                                .project = ProjectId("proj_1"),
                                .created_at = UnixSeconds(10s),
                                .updated_at = UnixSeconds(11s),
                                .name = "ops",
                                .url = "https://h/",
                                .event_types = {"batch.completed"},
                                .sealed_secret = "sealed",
                                .secret_hint = "whsec_…a1B2"};

TEST(WebhookWire, EndpointHasTheKeysOfTheServiceAndNoSecret) {
  EXPECT_EQ(boost::json::serialize(webhook_endpoint_object(kEndpoint)),
            R"({"id":"whe_1","object":"webhook_endpoint","created_at":10,"updated_at":11,)"
            R"("name":"ops","url":"https://h/","event_types":["batch.completed"],)"
            R"("signing_secret_hint":"whsec_…a1B2"})");
}

TEST(WebhookWire, TheSecretIsTheLastKey) {
  const auto text = boost::json::serialize(webhook_endpoint_object(kEndpoint, "whsec_x"));
  EXPECT_TRUE(text.ends_with(R"(,"signing_secret":"whsec_x"})")) << text;
}

TEST(WebhookWire, ATestIsAlwaysASuccess) {
  EXPECT_EQ(boost::json::serialize(webhook_test_object(kEndpoint.id, "batch.failed", 500)),
            R"({"object":"webhook_endpoint.test","webhook_endpoint_id":"whe_1",)"
            R"("event_type":"batch.failed","status_code":500,"success":true})");
}

TEST(WebhookWire, EventTypesArePlainStrings) {
  constexpr std::array<std::string_view, 1> kTypes = {"batch.failed"};
  EXPECT_EQ(boost::json::serialize(webhook_event_type_list(kTypes)),
            R"({"object":"list","data":["batch.failed"]})");
}

TEST(WebhookWire, DeliverySaysHowItStands) {
  WebhookDelivery delivery{.id = WebhookDeliveryId("whd_1"),
                           .endpoint = WebhookEndpointId("whe_1"),
                           .event_id = "evt_1",
                           .webhook_id = "wh_1",
                           .event_type = "batch.failed",
                           .batch = BatchId("batch_1"),
                           .event_at = UnixSeconds(5s),
                           .attempts = 2,
                           .next_attempt_at = UnixSeconds(9s)};
  EXPECT_EQ(boost::json::serialize(webhook_delivery_object(delivery)),
            R"({"id":"whd_1","object":"webhook_delivery","created_at":5,)"
            R"("webhook_endpoint_id":"whe_1","webhook_id":"wh_1","event_id":"evt_1",)"
            R"("event_type":"batch.failed","batch_id":"batch_1","status":"pending","attempts":2,)"
            R"("next_attempt_at":9})");
  delivery.state = DeliveryState::given_up;
  const std::array<DeliveryAttempt, 2> log = {
      DeliveryAttempt{.at = UnixSeconds(6s), .status = 500, .duration_ms = 12},
      DeliveryAttempt{.at = UnixSeconds(7s), .error = "no answer"}};
  const auto text = boost::json::serialize(webhook_delivery_object(delivery, log));
  EXPECT_TRUE(
      text.ends_with(R"("status":"given_up","attempts":2,"next_attempt_at":null,"log":[)"
                     R"({"at":6,"status_code":500,"duration_ms":12,"error":null},)"
                     R"({"at":7,"status_code":null,"duration_ms":0,"error":"no answer"}]})"))
      << text;
}

}  // namespace
}  // namespace offpeak
