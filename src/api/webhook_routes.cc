#include <utility>

#include "api/error_response.h"
#include "api/page_response.h"
#include "api/query.h"
#include "api/server_api.h"
#include "core/openai/webhook_wire.h"
#include "core/openai/wire.h"
#include "core/webhook/endpoint_body.h"
#include "core/webhook/event.h"

namespace offpeak {
namespace {

WebhookEndpointId endpoint_of(const Call& call) {
  return WebhookEndpointId(call.arguments[0]);
}

WebhookDeliveryId delivery_of(const Call& call) {
  return WebhookDeliveryId(call.arguments[1]);
}

http::Response endpoint_response(const Result<WebhookEndpoint>& endpoint) {
  return endpoint ? json_response(webhook_endpoint_object(*endpoint))
                  : error_response(endpoint.error());
}

http::Response secret_response(const Result<EndpointWithSecret>& made) {
  return made ? json_response(webhook_endpoint_object(made->endpoint, made->secret))
              : error_response(made.error());
}

/// The receiver gave no answer: an error that the SDKs would otherwise answer with two more tries.
http::Response no_answer_response(const Error& error) {
  auto response = json_response(error_object({.message = error.message,
                                              .type = "server_error",
                                              .param = error.param,
                                              .code = error.code}),
                                502);
  response.headers.push_back({"x-should-retry", "false"});
  return response;
}

Task<http::Response> create_endpoint(const ApiWorld& world, Call& call) {
  const auto given = parse_create_endpoint(call.text);
  if (!given) co_return error_response(given.error());
  auto create = [&world, &call, &given] {
    return world.webhooks.create(call.project, *given, call.mark);
  };
  co_return secret_response(co_await offload(world.outbound, std::move(create)));
}

Result<http::Response> created_endpoint(const ApiWorld& world, Call& call, const std::string& id) {
  const auto made = world.webhooks.created(call.project, WebhookEndpointId(id));
  if (!made) return std::unexpected(made.error());
  return secret_response(made);
}

Task<http::Response> list_endpoints(const ApiWorld& world, Call& call) {
  const auto query = parse_list_query(call.request.query(), {});
  if (!query) co_return error_response(query.error());
  co_return page_response(
      world.webhooks.list(call.project, *query),
      [](const WebhookEndpoint& endpoint) { return webhook_endpoint_object(endpoint); });
}

Task<http::Response> retrieve_endpoint(const ApiWorld& world, Call& call) {
  co_return endpoint_response(world.webhooks.get(call.project, endpoint_of(call)));
}

Task<http::Response> update_endpoint(const ApiWorld& world, Call& call) {
  const auto change = parse_update_endpoint(call.text);
  if (!change) co_return error_response(change.error());
  auto update = [&world, &call, &change] {
    return world.webhooks.update(call.project, endpoint_of(call), *change);
  };
  co_return endpoint_response(co_await offload(world.outbound, std::move(update)));
}

Task<http::Response> delete_endpoint(const ApiWorld& world, Call& call) {
  auto remove = [&world, &call] { return world.webhooks.remove(call.project, endpoint_of(call)); };
  const auto removed = co_await offload(world.workers, std::move(remove));
  co_return removed ? json_response(deleted_object(call.arguments[0], "webhook_endpoint.deleted"))
                    : error_response(removed.error());
}

Task<http::Response> rotate_secret(const ApiWorld& world, Call& call) {
  const auto keep_old = parse_rotate_secret(call.text);
  if (!keep_old) co_return error_response(keep_old.error());
  auto rotate = [&world, &call, keep = *keep_old] {
    return world.webhooks.rotate(call.project, endpoint_of(call), keep);
  };
  co_return secret_response(co_await offload(world.workers, std::move(rotate)));
}

Task<http::Response> test_endpoint(const ApiWorld& world, Call& call) {
  const auto type = parse_test_endpoint(call.text);
  if (!type) co_return error_response(type.error());
  auto test = [&world, &call, &type] {
    return world.webhooks.test(call.project, endpoint_of(call), *type);
  };
  const auto status = co_await offload(world.outbound, std::move(test));
  if (status) co_return json_response(webhook_test_object(endpoint_of(call), *type, *status));
  co_return status.error().kind == ErrorKind::unavailable ? no_answer_response(status.error())
                                                          : error_response(status.error());
}

Task<http::Response> list_event_types(Call&) {
  co_return json_response(webhook_event_type_list(webhook_event_types()));
}

Task<http::Response> list_deliveries(const ApiWorld& world, Call& call) {
  const auto query = parse_list_query(call.request.query(), {});
  if (!query) co_return error_response(query.error());
  co_return page_response(
      world.webhooks.deliveries(call.project, endpoint_of(call), *query),
      [](const WebhookDelivery& delivery) { return webhook_delivery_object(delivery); });
}

Task<http::Response> retrieve_delivery(const ApiWorld& world, Call& call) {
  const auto found = world.webhooks.delivery(call.project, endpoint_of(call), delivery_of(call));
  co_return found ? json_response(webhook_delivery_object(found->delivery, found->attempts))
                  : error_response(found.error());
}

Task<http::Response> replay_delivery(const ApiWorld& world, Call& call) {
  auto replay = [&world, &call] {
    return world.webhooks.replay(call.project, endpoint_of(call), delivery_of(call));
  };
  const auto replayed = co_await offload(world.workers, std::move(replay));
  co_return replayed ? json_response(webhook_delivery_object(*replayed))
                     : error_response(replayed.error());
}

void add_endpoint_routes(Router& router, const ApiWorld& world) {
  router.add(
      {.method = "POST",
       .pattern = "/v1/webhook_endpoints",
       .body = BodyKind::text,
       .doc = {"createWebhookEndpoint", "Makes a webhook endpoint; shows its signing secret",
               "CreateWebhookEndpointRequest", "WebhookEndpointWithSecret"},
       .serve = [&world](Call& call) { return create_endpoint(world, call); },
       .again = [&world](Call& call,
                         const std::string& id) { return created_endpoint(world, call, id); }});
  router.add({.method = "GET",
              .pattern = "/v1/webhook_endpoints",
              .doc = {.operation = "listWebhookEndpoints",
                      .summary = "Lists webhook endpoints, newest first",
                      .reply = "WebhookEndpointList",
                      .query = {"after", "limit"}},
              .serve = [&world](Call& call) { return list_endpoints(world, call); }});
  router.add({.method = "GET",
              .pattern = "/v1/webhook_endpoints/{webhook_endpoint_id}",
              .doc = {.operation = "retrieveWebhookEndpoint",
                      .summary = "Retrieves a webhook endpoint",
                      .reply = "WebhookEndpoint"},
              .serve = [&world](Call& call) { return retrieve_endpoint(world, call); }});
  router.add({.method = "POST",
              .pattern = "/v1/webhook_endpoints/{webhook_endpoint_id}",
              .body = BodyKind::text,
              .doc = {"updateWebhookEndpoint", "Changes name, URL or event types",
                      "UpdateWebhookEndpointRequest", "WebhookEndpoint"},
              .serve = [&world](Call& call) { return update_endpoint(world, call); }});
  router.add({.method = "DELETE",
              .pattern = "/v1/webhook_endpoints/{webhook_endpoint_id}",
              .doc = {.operation = "deleteWebhookEndpoint",
                      .summary = "Deletes a webhook endpoint and what is pending for it",
                      .reply = "DeletedWebhookEndpoint"},
              .serve = [&world](Call& call) { return delete_endpoint(world, call); }});
}

void add_call_routes(Router& router, const ApiWorld& world) {
  router.add({.method = "POST",
              .pattern = "/v1/webhook_endpoints/{webhook_endpoint_id}/rotate_secret",
              .body = BodyKind::text,
              .doc = {"rotateWebhookSecret", "Makes a new signing secret and shows it",
                      "RotateWebhookSecretRequest", "WebhookEndpointWithSecret"},
              .serve = [&world](Call& call) { return rotate_secret(world, call); }});
  router.add({.method = "POST",
              .pattern = "/v1/webhook_endpoints/{webhook_endpoint_id}/test",
              .body = BodyKind::text,
              .doc = {"testWebhookEndpoint", "Sends a sample event now",
                      "TestWebhookEndpointRequest", "WebhookEndpointTest"},
              .serve = [&world](Call& call) { return test_endpoint(world, call); }});
  router.add({.method = "GET",
              .pattern = "/v1/webhook_event_types",
              .doc = {.operation = "listWebhookEventTypes",
                      .summary = "Lists the events that can be subscribed to",
                      .reply = "WebhookEventTypeList"},
              .serve = list_event_types});
}

/// Not part of OpenAI's API.
void add_delivery_routes(Router& router, const ApiWorld& world) {
  router.add({.method = "GET",
              .pattern = "/v1/webhook_endpoints/{webhook_endpoint_id}/deliveries",
              .doc = {.operation = "listWebhookDeliveries",
                      .summary = "Lists what was or will be sent to an endpoint, newest first",
                      .reply = "WebhookDeliveryList",
                      .query = {"after", "limit"}},
              .serve = [&world](Call& call) { return list_deliveries(world, call); }});
  router.add({.method = "GET",
              .pattern = "/v1/webhook_endpoints/{webhook_endpoint_id}/deliveries/{delivery_id}",
              .doc = {.operation = "retrieveWebhookDelivery",
                      .summary = "Retrieves a delivery with the log of its attempts",
                      .reply = "WebhookDeliveryWithLog"},
              .serve = [&world](Call& call) { return retrieve_delivery(world, call); }});
  router.add(
      {.method = "POST",
       .pattern = "/v1/webhook_endpoints/{webhook_endpoint_id}/deliveries/{delivery_id}/replay",
       .body = BodyKind::text,
       .doc = {.operation = "replayWebhookDelivery",
               .summary = "Sends a delivery again, with all attempts ahead of it",
               .reply = "WebhookDelivery"},
       .serve = [&world](Call& call) { return replay_delivery(world, call); }});
}

}  // namespace

void add_webhook_routes(Router& router, const ApiWorld& world) {
  add_endpoint_routes(router, world);
  add_call_routes(router, world);
  add_delivery_routes(router, world);
}

}  // namespace offpeak
