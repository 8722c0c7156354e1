// Deliveries as decisions: what follows an attempt, and which of the due ones may be sent now.
#pragma once

#include <cstddef>
#include <map>
#include <set>

#include "base/clock.h"
#include "base/id.h"
#include "core/records/webhook.h"

namespace offpeak {

/// The delivery after an attempt that ended at `now` with `status` (0: no HTTP answer). 2xx is
/// success, 410 (the receiver is gone for good) ends it, everything else is tried again by
/// delivery_retry_delay(), `unit` being its jitter.
WebhookDelivery after_attempt(WebhookDelivery delivery, int status, UnixSeconds now, double unit);

/// Who may be sent to now, so that receivers that are slow or away do not hold up the others: an
/// endpoint has at most kPerEndpoint deliveries under way, one if its last attempt failed, and the
/// endpoints whose last attempt failed have together at most half of all slots.
/// REQUIRES: one thread.
class DeliverySlots {
 public:
  static constexpr std::size_t kPerEndpoint = 4;

  explicit DeliverySlots(std::size_t total) : total_(total) {}

  /// Takes a slot if there is one for this delivery and it is not under way already.
  bool try_start(const WebhookDelivery& delivery);
  /// REQUIRES: it was started.
  void ended(const WebhookDelivery& delivery, bool success);
  std::size_t under_way() const { return started_.size(); }

 private:
  struct Endpoint {
    std::size_t under_way = 0;
    bool sick = false;
  };

  std::size_t total_;
  std::size_t sick_under_way_ = 0;
  std::map<WebhookDeliveryId, bool> started_;        // value: in a slot for the sick
  std::map<WebhookEndpointId, Endpoint> endpoints_;  // those under way or sick
};

}  // namespace offpeak
