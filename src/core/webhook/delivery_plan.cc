#include "core/webhook/delivery_plan.h"

#include <algorithm>

#include "core/webhook/retry_schedule.h"

namespace offpeak {
namespace {

constexpr int kGone = 410;

}  // namespace

WebhookDelivery after_attempt(WebhookDelivery delivery, int status, UnixSeconds now, double unit) {
  ++delivery.attempts;
  if (status >= 200 && status <= 299) {
    delivery.state = DeliveryState::delivered;
    return delivery;
  }
  const auto delay = delivery_retry_delay(delivery.attempts, unit);
  if (!delay || status == kGone) {
    delivery.state = DeliveryState::given_up;
  } else {
    delivery.next_attempt_at = now + std::chrono::ceil<std::chrono::seconds>(*delay);
  }
  return delivery;
}

bool DeliverySlots::try_start(const WebhookDelivery& delivery) {
  if (started_.size() >= total_ || started_.contains(delivery.id)) return false;
  const auto known = endpoints_.find(delivery.endpoint);
  const Endpoint now = known == endpoints_.end() ? Endpoint{} : known->second;
  if (now.under_way >= (now.sick ? 1 : kPerEndpoint)) return false;
  if (now.sick && sick_under_way_ >= std::max<std::size_t>(1, total_ / 2)) return false;
  ++endpoints_[delivery.endpoint].under_way;
  sick_under_way_ += now.sick ? 1 : 0;
  started_.emplace(delivery.id, now.sick);
  return true;
}

void DeliverySlots::ended(const WebhookDelivery& delivery, bool success) {
  const auto started = started_.find(delivery.id);
  sick_under_way_ -= started->second ? 1 : 0;
  started_.erase(started);
  Endpoint& endpoint = endpoints_[delivery.endpoint];
  --endpoint.under_way;
  endpoint.sick = !success;
  if (success && endpoint.under_way == 0) endpoints_.erase(delivery.endpoint);
}

}  // namespace offpeak
