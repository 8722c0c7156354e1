#include "pipeline/webhooks/webhook_courier.h"

#include <utility>

#include "pipeline/webhooks/webhook_signing.h"
#include "platform/observe/log.h"

namespace offpeak {
namespace {

constexpr std::size_t kLookedAt = 1000;
/// Those under way are due, too.
constexpr std::size_t kLookedAtPerEndpoint = 2 * DeliverySlots::kPerEndpoint;

}  // namespace

WebhookCourier::WebhookCourier(WebhookWorld world, CourierSettings settings)
    : world_(world), settings_(settings), slots_(settings.senders), senders_(settings.senders) {}

void WebhookCourier::start() {
  thread_ = std::thread([this] { run(); });
}

void WebhookCourier::wake() {
  {
    const std::lock_guard lock(mutex_);
    woken_ = true;
  }
  changed_.notify_one();
}

void WebhookCourier::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  world_.sender.stop();
  if (thread_.joinable()) thread_.join();
  senders_.stop();
}

void WebhookCourier::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    woken_ = false;
    auto ended = std::exchange(ended_, {});
    lock.unlock();
    // In this order: what has ended is in the store before the store is asked what is due.
    settle(std::move(ended));
    if (unrecorded_.empty()) start_due();
    lock.lock();
    changed_.wait_for(lock, settings_.poll, [this] { return stopping_ || woken_; });
  }
}

void WebhookCourier::settle(std::vector<Attempt> attempts) {
  for (Attempt& refused : std::exchange(unrecorded_, {})) {
    record(refused);
    attempts.push_back(std::move(refused));
  }
  for (Attempt& attempt : attempts) {
    if (attempt.made && !attempt.recorded) {
      unrecorded_.push_back(std::move(attempt));
      continue;
    }
    const bool success = !attempt.made || attempt.after.state == DeliveryState::delivered;
    slots_.ended(attempt.before, success);
  }
}

void WebhookCourier::start_due() {
  const UnixSeconds now = world_.clock.unix_now();
  const auto next = world_.meta.next_delivery_at();
  if (next && (!*next || **next > now)) return;
  const auto due = world_.meta.due_deliveries(now, kLookedAt, kLookedAtPerEndpoint);
  if (!due) {
    log::error("webhooks", "due deliveries cannot be read: {}", due.error().message);
    return;
  }
  for (const WebhookDelivery& delivery : *due) {
    if (!slots_.try_start(delivery)) continue;
    senders_.post([this, delivery] { deliver(delivery); });
  }
}

void WebhookCourier::deliver(const WebhookDelivery& delivery) {
  Attempt made = attempt(delivery);
  if (made.made) record(made);
  {
    const std::lock_guard lock(mutex_);
    woken_ = woken_ || made.made;
    ended_.push_back(std::move(made));
  }
  changed_.notify_one();
}

WebhookCourier::Attempt WebhookCourier::attempt(const WebhookDelivery& delivery) {
  Attempt made{.before = delivery, .after = delivery, .log = {}};
  const auto endpoint = world_.meta.endpoint(delivery.project, delivery.endpoint);
  // Deleted meanwhile: the store has dropped the delivery, too.
  if (!endpoint) return made;
  const WebhookEvent event{.id = delivery.event_id,
                           .type = delivery.event_type,
                           .created_at = delivery.event_at,
                           .batch = delivery.batch};
  const SteadyTime start = world_.clock.steady_now();
  const auto request =
      signed_request(*endpoint, world_.box, delivery.webhook_id, event, world_.clock.unix_now());
  const WebhookReply reply = request ? world_.sender.send(*request)
                                     : WebhookReply{.error = std::string(kUnreadableSecret)};
  if (reply.interrupted) return made;
  const auto took =
      std::chrono::duration_cast<std::chrono::milliseconds>(world_.clock.steady_now() - start);
  const UnixSeconds now = world_.clock.unix_now();
  made.made = true;
  made.after = after_attempt(delivery, reply.status, now, world_.random.unit());
  made.log = {.at = now,
              .status = reply.status,
              .duration_ms = static_cast<std::uint32_t>(took.count()),
              .error = reply.error};
  return made;
}

void WebhookCourier::record(Attempt& attempt) {
  const WebhookDelivery& after = attempt.after;
  const auto stored = world_.meta.record_attempt(after, attempt.log);
  attempt.recorded = stored || stored.error().kind == ErrorKind::not_found;
  if (!attempt.recorded) {
    if (std::exchange(attempt.refused, true)) return;
    log::error("webhooks", "an attempt of delivery {} cannot be recorded: {}", after.id,
               stored.error().message);
    return;
  }
  log::debug("webhooks", "delivery {} of {} to {}: attempt {}, status {} {}", after.id,
             after.event_type, after.endpoint, after.attempts, attempt.log.status,
             attempt.log.error);
  if (after.state == DeliveryState::given_up) {
    log::warn("webhooks", "delivery {} of {} to {} is given up after {} attempts", after.id,
              after.event_type, after.endpoint, after.attempts);
  }
}

}  // namespace offpeak
