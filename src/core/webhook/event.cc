#include "core/webhook/event.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "core/records/webhook.h"

namespace offpeak {
namespace {

constexpr std::array kEventTypes = {
    event_type_of(BatchStatus::completed), event_type_of(BatchStatus::failed),
    event_type_of(BatchStatus::expired), event_type_of(BatchStatus::cancelled)};

}  // namespace

std::span<const std::string_view> webhook_event_types() {
  return kEventTypes;
}

bool is_webhook_event_type(std::string_view name) {
  return std::ranges::find(kEventTypes, name) != kEventTypes.end();
}

std::string event_payload(const WebhookEvent& event) {
  return boost::json::serialize(
      boost::json::object{{"id", event.id},
                          {"object", "event"},
                          {"type", event.type},
                          {"created_at", event.created_at.time_since_epoch().count()},
                          {"data", boost::json::object{{"id", event.batch.text()}}}});
}

std::string signed_text(std::string_view webhook_id, UnixSeconds timestamp,
                        std::string_view payload) {
  return fmt::format("{}.{}.{}", webhook_id, timestamp.time_since_epoch().count(), payload);
}

std::string secret_hint(std::string_view secret) {
  constexpr std::size_t kShown = 4;
  // The "=" of the padding would tell nothing.
  const auto end = secret.find_last_not_of('=');
  const auto bare = secret.substr(0, end + 1);
  return fmt::format("whsec_…{}", bare.substr(bare.size() - std::min(kShown, bare.size())));
}

}  // namespace offpeak
