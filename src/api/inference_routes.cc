// The synchronous endpoints: passed through to the upstream that serves the model.
#include <array>
#include <utility>

#include "api/error_response.h"
#include "api/server_api.h"
#include "core/records/endpoint.h"
#include "pipeline/relay/relay.h"

namespace offpeak {
namespace {

struct Endpoint {
  std::string_view path;
  std::string_view operation;
  std::string_view summary;
};

constexpr std::array<Endpoint, 8> kEndpoints = {{
    {"/v1/chat/completions", "createChatCompletion", "A chat completion, also as a stream"},
    {"/v1/completions", "createCompletion", "A text completion, also as a stream"},
    {"/v1/embeddings", "createEmbedding", "Embeddings of texts"},
    {"/v1/responses", "createResponse", "A response, also as a stream"},
    {"/v1/moderations", "createModeration", "A judgement of texts or images"},
    {"/v1/images/generations", "createImage", "Images from a text"},
    {"/v1/images/edits", "createImageEdit", "Images from images and a text"},
    {"/v1/videos", "createVideo", "Starts a video"},
}};

/// Reads an answer of known length into memory, so that it can be kept for its Idempotency-Key.
Task<http::Response> made_whole(http::Response response) {
  auto* const held = std::get_if<std::unique_ptr<http::ResponseStream>>(&response.body);
  if (held == nullptr || (*held)->length().value_or(kKeptReplyBytesMax + 1) > kKeptReplyBytesMax) {
    co_return response;
  }
  std::string text;
  while (true) {
    const auto piece = co_await (*held)->next();
    if (!piece) co_return error_response(piece.error());
    if (piece->empty()) break;
    text += *piece;
  }
  response.body = std::move(text);
  co_return response;
}

Task<http::Response> infer(Relay& relay, const EndpointRules& rules, Call& call) {
  const http::Request& request = call.request;
  const RelayRequest relayed{.path = rules.path,
                             .query = request.query(),
                             .content_type = request.header("content-type"),
                             .accept = request.header("accept"),
                             .client_request_id = request.header("x-client-request-id"),
                             .request_id = request.id,
                             .body = call.text,
                             .needs_model = rules.model_required};
  auto response = co_await relay.call(relayed, call.body);
  if (!response) co_return error_response(response.error());
  if (call.mark.idempotency_key.empty()) co_return std::move(*response);
  co_return co_await made_whole(std::move(*response));
}

}  // namespace

void add_inference_routes(Router& router, const ApiWorld& world, const ApiSettings& settings) {
  for (const Endpoint& endpoint : kEndpoints) {
    const EndpointRules& rules = *find_endpoint(endpoint.path);
    router.add({.method = "POST",
                .pattern = endpoint.path,
                .body = BodyKind::text,
                .body_bytes_max = settings.inference_body_bytes,
                .spends_tokens = true,
                .doc = {endpoint.operation, endpoint.summary, "InferenceRequest", "InferenceReply"},
                .serve = [&world, &rules](Call& call) { return infer(world.relay, rules, call); }});
  }
}

}  // namespace offpeak
