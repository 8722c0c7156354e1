// Takes events to their endpoints: a thread that looks for deliveries that are due, and senders of
// its own, since calling strangers' servers blocks. Everything it knows is in the metadata store:
// after a restart it goes on where it was, and an attempt that was not recorded is made again.
//
// Events come from the store (a batch that ends queues them), so that nobody has to tell the
// courier; it looks every `poll`.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <thread>
#include <vector>

#include "core/records/webhook.h"
#include "core/webhook/delivery_plan.h"
#include "pipeline/webhooks/webhook_service.h"
#include "platform/async/event_loop.h"

namespace offpeak {

struct CourierSettings {
  std::size_t senders = 16;  // deliveries under way at a time
  std::chrono::milliseconds poll{500};
};

class WebhookCourier {
 public:
  WebhookCourier(WebhookWorld world, CourierSettings settings);
  ~WebhookCourier() { stop(); }
  WebhookCourier(const WebhookCourier&) = delete;

  void start();
  /// Looks at once.
  void wake();
  /// Stops the sender, too; what was under way is sent again after the next start.
  void stop();

 private:
  struct Attempt {
    WebhookDelivery before;
    WebhookDelivery after;
    DeliveryAttempt log;
    bool made = false;      // false: stopped, or the endpoint is gone
    bool recorded = false;  // in the store
    bool refused = false;   // by the store, once at least
  };

  void run();
  void start_due();
  void settle(std::vector<Attempt> attempts);
  void deliver(const WebhookDelivery& delivery);
  Attempt attempt(const WebhookDelivery& delivery);
  void record(Attempt& attempt);

  WebhookWorld world_;
  CourierSettings settings_;
  DeliverySlots slots_;              // the courier thread's, as is what follows up to mutex_
  std::vector<Attempt> unrecorded_;  // the store refused them; nothing is sent while it does
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Attempt> ended_;  // guarded by mutex_, as is what follows up to senders_
  bool woken_ = false;
  bool stopping_ = false;
  Workers senders_;
  std::thread thread_;
};

}  // namespace offpeak
