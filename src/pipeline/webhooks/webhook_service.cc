#include "pipeline/webhooks/webhook_service.h"

#include <fmt/format.h>

#include <utility>

#include "core/openai/ids.h"
#include "core/webhook/event.h"
#include "pipeline/webhooks/webhook_signing.h"
#include "platform/crypto/webhook_signature.h"

namespace offpeak {
namespace {

constexpr auto kOldSecretLives = std::chrono::hours(24);

/// Whether anything changed.
bool apply(const EndpointChange& change, WebhookEndpoint& endpoint) {
  const WebhookEndpoint before = endpoint;
  if (change.name) endpoint.name = *change.name;
  if (change.url) endpoint.url = *change.url;
  if (change.event_types) endpoint.event_types = *change.event_types;
  return endpoint != before;
}

}  // namespace

std::string WebhookService::set_new_secret(WebhookEndpoint& endpoint) {
  std::string secret = make_webhook_secret(world_.random);
  endpoint.sealed_secret = world_.box.seal(secret, endpoint.id.text());
  endpoint.secret_hint = secret_hint(secret);
  return secret;
}

Result<EndpointWithSecret> WebhookService::create(const ProjectId& project,
                                                  const EndpointChange& given,
                                                  const RequestMark& mark) {
  if (auto ok = world_.sender.check(*given.url); !ok) return std::unexpected(ok.error());
  const std::lock_guard lock(mutex_);
  const auto others = world_.meta.endpoints(project, {.limit = kEndpointsMax});
  if (!others) return std::unexpected(others.error());
  if (others->data.size() >= kEndpointsMax) {
    return fail(ErrorKind::invalid_request,
                fmt::format("This project has {} webhook endpoints, which is the limit. Delete one "
                            "first.",
                            kEndpointsMax),
                "webhook_endpoint_limit_exceeded");
  }
  const UnixSeconds now = world_.clock.unix_now();
  WebhookEndpoint endpoint{.id = make_webhook_endpoint_id(world_.random),
                           .project = project,
                           .created_at = now,
                           .updated_at = now};
  apply(given, endpoint);
  std::string secret = set_new_secret(endpoint);
  if (auto stored = world_.meta.insert_endpoint(endpoint, mark); !stored) {
    return std::unexpected(stored.error());
  }
  return EndpointWithSecret{std::move(endpoint), std::move(secret)};
}

Result<EndpointWithSecret> WebhookService::created(const ProjectId& project,
                                                   const WebhookEndpointId& id) {
  auto endpoint = world_.meta.endpoint(project, id);
  if (!endpoint) return std::unexpected(endpoint.error());
  auto secret = world_.box.open(endpoint->sealed_secret, id.text());
  if (!secret) return fail(ErrorKind::unavailable, std::string(kUnreadableSecret));
  return EndpointWithSecret{std::move(*endpoint), std::move(*secret)};
}

Result<WebhookEndpoint> WebhookService::get(const ProjectId& project, const WebhookEndpointId& id) {
  return world_.meta.endpoint(project, id);
}

Result<Page<WebhookEndpoint>> WebhookService::list(const ProjectId& project,
                                                   const ListQuery& query) {
  return world_.meta.endpoints(project, query);
}

Result<WebhookEndpoint> WebhookService::update(const ProjectId& project,
                                               const WebhookEndpointId& id,
                                               const EndpointChange& change) {
  if (auto known = world_.meta.endpoint(project, id); !known) return known;
  if (change.url) {
    if (auto ok = world_.sender.check(*change.url); !ok) return std::unexpected(ok.error());
  }
  const std::lock_guard lock(mutex_);
  auto endpoint = world_.meta.endpoint(project, id);
  if (!endpoint || !apply(change, *endpoint)) return endpoint;
  endpoint->updated_at = world_.clock.unix_now();
  if (auto stored = world_.meta.update_endpoint(*endpoint); !stored) {
    return std::unexpected(stored.error());
  }
  return endpoint;
}

Status WebhookService::remove(const ProjectId& project, const WebhookEndpointId& id) {
  const std::lock_guard lock(mutex_);
  return world_.meta.delete_endpoint(project, id);
}

Result<EndpointWithSecret> WebhookService::rotate(const ProjectId& project,
                                                  const WebhookEndpointId& id, bool keep_old) {
  const std::lock_guard lock(mutex_);
  auto endpoint = world_.meta.endpoint(project, id);
  if (!endpoint) return std::unexpected(endpoint.error());
  const UnixSeconds now = world_.clock.unix_now();
  endpoint->sealed_old_secret = keep_old ? std::move(endpoint->sealed_secret) : std::string();
  endpoint->old_secret_until =
      keep_old ? std::optional<UnixSeconds>(now + kOldSecretLives) : std::nullopt;
  endpoint->updated_at = now;
  std::string secret = set_new_secret(*endpoint);
  if (auto stored = world_.meta.update_endpoint(*endpoint); !stored) {
    return std::unexpected(stored.error());
  }
  return EndpointWithSecret{std::move(*endpoint), std::move(secret)};
}

Result<int> WebhookService::test(const ProjectId& project, const WebhookEndpointId& id,
                                 const std::string& event_type) {
  const auto endpoint = world_.meta.endpoint(project, id);
  if (!endpoint) return std::unexpected(endpoint.error());
  const UnixSeconds now = world_.clock.unix_now();
  const std::string sample = world_.random.hex(32);
  const WebhookEvent event{.id = "evt_" + sample,
                           .type = event_type,
                           .created_at = now,
                           .batch = BatchId("batch_test_" + sample)};
  const auto request = signed_request(*endpoint, world_.box, "wh_" + sample, event, now);
  if (!request) return fail(ErrorKind::unavailable, std::string(kUnreadableSecret));
  const WebhookReply reply = world_.sender.send(*request);
  if (reply.status != 0) return reply.status;
  return fail(ErrorKind::unavailable,
              fmt::format("The webhook endpoint gave no answer. {}", reply.error),
              "webhook_endpoint_unreachable");
}

Result<Page<WebhookDelivery>> WebhookService::deliveries(const ProjectId& project,
                                                         const WebhookEndpointId& id,
                                                         const ListQuery& query) {
  if (auto known = world_.meta.endpoint(project, id); !known) return std::unexpected(known.error());
  return world_.meta.deliveries(project, id, query);
}

Result<WebhookDelivery> WebhookService::find(const ProjectId& project,
                                             const WebhookEndpointId& endpoint,
                                             const WebhookDeliveryId& id) {
  if (auto known = world_.meta.endpoint(project, endpoint); !known) {
    return std::unexpected(known.error());
  }
  auto delivery = world_.meta.delivery(project, id);
  if (delivery && delivery->endpoint != endpoint) {
    return fail(ErrorKind::not_found,
                fmt::format("Webhook endpoint '{}' has no delivery '{}'.", endpoint, id));
  }
  return delivery;
}

Result<DeliveryLog> WebhookService::delivery(const ProjectId& project,
                                             const WebhookEndpointId& endpoint,
                                             const WebhookDeliveryId& id) {
  auto found = find(project, endpoint, id);
  if (!found) return std::unexpected(found.error());
  auto attempts = world_.meta.attempts(project, id);
  if (!attempts) return std::unexpected(attempts.error());
  return DeliveryLog{std::move(*found), std::move(*attempts)};
}

Result<WebhookDelivery> WebhookService::replay(const ProjectId& project,
                                               const WebhookEndpointId& endpoint,
                                               const WebhookDeliveryId& id) {
  if (auto found = find(project, endpoint, id); !found) return found;
  return world_.meta.replay_delivery(project, id, world_.clock.unix_now());
}

}  // namespace offpeak
