// Webhook endpoints and deliveries (contract section 7): a part of MetaStore, with its rules.
//
// Events are queued by MetaStore itself: storing a batch in a terminal status also inserts, in the
// same transaction, one pending delivery, due at once, for each endpoint of the batch's project
// that is subscribed to that event. Event and webhook ids are those of the batch with another
// prefix
// ("evt_…", "wh_…"), so that they are the same whoever makes them; delivery ids are
// "whd_" + 32 hex digits.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/id.h"
#include "core/records/request_mark.h"
#include "core/records/webhook.h"
#include "platform/meta/listing.h"

namespace offpeak {

class WebhookStore {
 public:
  virtual ~WebhookStore() = default;

  virtual Status insert_endpoint(const WebhookEndpoint& endpoint, const RequestMark& mark) = 0;
  virtual Result<WebhookEndpoint> endpoint(const ProjectId& project,
                                           const WebhookEndpointId& id) = 0;
  virtual Result<Page<WebhookEndpoint>> endpoints(const ProjectId& project,
                                                  const ListQuery& query) = 0;
  /// Everything but id, project and created_at.
  virtual Status update_endpoint(const WebhookEndpoint& endpoint) = 0;
  /// Its pending deliveries are dropped; the endpoint keeps its place in listings.
  virtual Status delete_endpoint(const ProjectId& project, const WebhookEndpointId& id) = 0;

  /// Any project's pending deliveries whose time has come, the most overdue first; of each endpoint
  /// only the first `per_endpoint`, so that one with a backlog does not hide the others.
  virtual Result<std::vector<WebhookDelivery>> due_deliveries(UnixSeconds now, std::size_t limit,
                                                              std::size_t per_endpoint) = 0;
  /// When the next pending delivery is due; nullopt if none is pending.
  virtual Result<std::optional<UnixSeconds>> next_delivery_at() = 0;
  /// Stores the delivery's state, attempts and next_attempt_at, and a line of its log. not_found if
  /// the endpoint has been deleted meanwhile.
  virtual Status record_attempt(const WebhookDelivery& next, const DeliveryAttempt& attempt) = 0;
  /// Newest first; of one endpoint, or of all the project's if `endpoint` is empty.
  virtual Result<Page<WebhookDelivery>> deliveries(const ProjectId& project,
                                                   const WebhookEndpointId& endpoint,
                                                   const ListQuery& query) = 0;
  virtual Result<WebhookDelivery> delivery(const ProjectId& project,
                                           const WebhookDeliveryId& id) = 0;
  /// Oldest first.
  virtual Result<std::vector<DeliveryAttempt>> attempts(const ProjectId& project,
                                                        const WebhookDeliveryId& id) = 0;
  /// A replay: pending again and due at `now`, with no attempts counted. conflict if its endpoint
  /// has been deleted.
  virtual Result<WebhookDelivery> replay_delivery(const ProjectId& project,
                                                  const WebhookDeliveryId& id, UnixSeconds now) = 0;
  /// Forgets deliveries that are not pending and whose event was before `before`, with their log.
  virtual Status forget_deliveries(UnixSeconds before) = 0;
};

}  // namespace offpeak
