// Webhook endpoints as their owners see them: made, changed, tested, their secrets rotated, their
// deliveries looked at and sent again. Thread-safe; calls block for a few metadata operations, and
// where an endpoint is called or its name resolved for up to ten seconds.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/random.h"
#include "core/records/request_mark.h"
#include "core/records/webhook.h"
#include "core/webhook/endpoint_body.h"
#include "platform/crypto/secret_box.h"
#include "platform/meta/meta_store.h"
#include "platform/webclient/webhook_sender.h"

namespace offpeak {

/// What service and courier use; everything outlives them.
struct WebhookWorld {
  MetaStore& meta;
  const Clock& clock;
  Random& random;  // thread-safe
  const SecretBox& box;
  WebhookSender& sender;
};

struct EndpointWithSecret {
  WebhookEndpoint endpoint;
  std::string secret;
};

struct DeliveryLog {
  WebhookDelivery delivery;
  std::vector<DeliveryAttempt> attempts;  // oldest first
};

class WebhookService {
 public:
  static constexpr std::uint32_t kEndpointsMax = 100;  // of one project

  explicit WebhookService(WebhookWorld world) : world_(world) {}

  /// REQUIRES: `given` is complete, as parse_create_endpoint leaves it.
  Result<EndpointWithSecret> create(const ProjectId& project, const EndpointChange& given,
                                    const RequestMark& mark);
  /// What create() gave, for a caller whose reply was lost.
  Result<EndpointWithSecret> created(const ProjectId& project, const WebhookEndpointId& id);
  Result<WebhookEndpoint> get(const ProjectId& project, const WebhookEndpointId& id);
  Result<Page<WebhookEndpoint>> list(const ProjectId& project, const ListQuery& query);
  Result<WebhookEndpoint> update(const ProjectId& project, const WebhookEndpointId& id,
                                 const EndpointChange& change);
  Status remove(const ProjectId& project, const WebhookEndpointId& id);
  /// With `keep_old` the secret so far signs too for 24 hours.
  Result<EndpointWithSecret> rotate(const ProjectId& project, const WebhookEndpointId& id,
                                    bool keep_old);
  /// Sends a sample event; the status that the endpoint answered. unavailable if it did not.
  Result<int> test(const ProjectId& project, const WebhookEndpointId& id,
                   const std::string& event_type);

  Result<Page<WebhookDelivery>> deliveries(const ProjectId& project, const WebhookEndpointId& id,
                                           const ListQuery& query);
  Result<DeliveryLog> delivery(const ProjectId& project, const WebhookEndpointId& endpoint,
                               const WebhookDeliveryId& id);
  /// Due at once and with all attempts ahead of it, whatever its state.
  Result<WebhookDelivery> replay(const ProjectId& project, const WebhookEndpointId& endpoint,
                                 const WebhookDeliveryId& id);

 private:
  Result<WebhookDelivery> find(const ProjectId& project, const WebhookEndpointId& endpoint,
                               const WebhookDeliveryId& id);
  std::string set_new_secret(WebhookEndpoint& endpoint);

  WebhookWorld world_;
  std::mutex mutex_;  // held while an endpoint is read, changed and stored
};

}  // namespace offpeak
