#include "api/server_api.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <utility>

#include "api/error_response.h"
#include "api/openapi.h"
#include "platform/observe/log.h"

namespace offpeak {
namespace {

/// The estimate that batches use too.
constexpr std::uint64_t kBytesPerToken = 4;

void add_standard_headers(http::Response& response, std::string_view request_id) {
  response.headers.push_back({"x-request-id", std::string(request_id)});
  response.headers.push_back({"openai-version", "2020-10-01"});
  response.headers.push_back({"x-content-type-options", "nosniff"});
}

/// The caller's own id for the request (contract section 6.3), if it is one.
std::string client_id_note(const http::Request& request) {
  const std::string_view id = request.header("x-client-request-id");
  constexpr std::size_t kIdMax = 512;
  const bool ascii = std::ranges::all_of(id, [](char c) { return c >= 0x20 && c < 0x7F; });
  return id.empty() || id.size() > kIdMax || !ascii ? std::string()
                                                    : fmt::format(", client's id {}", id);
}

Task<http::Response> answer_ok(Call&) {
  http::Response response{.body = std::string("ok\n")};
  response.headers.push_back({"content-type", "text/plain; charset=utf-8"});
  co_return response;
}

/// Reads the body of a route that wants it whole into call.text.
Task<Status> read_text(Call& call) {
  if (call.route.body != BodyKind::text) co_return Status();
  while (true) {
    const auto piece = co_await call.body.read();
    if (!piece) co_return std::unexpected(piece.error());
    if (piece->empty()) co_return Status();
    if (call.text.size() + piece->size() > call.route.body_bytes_max) {
      co_return fail(ErrorKind::too_large, fmt::format("The request body is larger than {} bytes.",
                                                       call.route.body_bytes_max));
    }
    call.text += *piece;
  }
}

}  // namespace

ServerApi::ServerApi(ApiWorld world, ApiSettings settings)
    : world_(world),
      settings_(std::move(settings)),
      authenticator_(world_.files.meta, world_.files.clock),
      repeats_(world_.files.meta, world_.files.clock, world_.workers, world_.box),
      rate_limits_(world_.files.clock, settings_.rate_limits) {
  add_file_routes(router_, world_, settings_);
  add_upload_routes(router_, world_, settings_);
  add_batch_routes(router_, world_);
  add_model_routes(router_, world_, settings_);
  add_inference_routes(router_, world_, settings_);
  add_project_routes(router_, world_);
  add_webhook_routes(router_, world_);
  add_own_routes();
  openapi_ = boost::json::serialize(openapi_document(router_));
}

void ServerApi::add_own_routes() {
  router_.add({.method = "GET",
               .pattern = "/livez",
               .access = Access::open,
               .doc = {"isAlive", "Whether the process answers"},
               .serve = answer_ok});
  router_.add({.method = "GET",
               .pattern = "/healthz",
               .access = Access::open,
               .doc = {"isHealthy", "Whether the process answers"},
               .serve = answer_ok});
  router_.add({.method = "GET",
               .pattern = "/readyz",
               .access = Access::open,
               .doc = {"isReady", "Whether the server can do its work"},
               .serve = [this](Call& call) -> Task<http::Response> {
                 if (auto ok = world_.files.meta.check(); !ok) {
                   log::error("api", "not ready: {}", ok.error().message);
                   co_return error_response(
                       {ErrorKind::unavailable, "The metadata store does not answer."});
                 }
                 co_return co_await answer_ok(call);
               }});
  router_.add({.method = "GET",
               .pattern = "/openapi.json",
               .access = Access::open,
               .doc = {"describeApi", "This document", {}, "AnyObject"},
               .serve = [this](Call&) -> Task<http::Response> {
                 http::Response response{.body = openapi_};
                 response.headers.push_back({"content-type", "application/json"});
                 co_return response;
               }});
}

Task<http::Response> ServerApi::handle(http::Request& request, http::RequestBody& body) {
  const SteadyTime start = world_.files.clock.steady_now();
  auto response = co_await route(request, body);
  add_standard_headers(response, request.id);
  const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(
      world_.files.clock.steady_now() - start);
  response.headers.push_back({"openai-processing-ms", fmt::format("{}", elapsed.count())});
  log::debug("api", "{} {} {} {} {} ms{}", request.id, request.method, request.path(),
             response.status, elapsed.count(), client_id_note(request));
  co_return response;
}

Task<http::Response> ServerApi::route(http::Request& request, http::RequestBody& body) {
  auto match = router_.match(request.method, request.path());
  if (!match) {
    auto response = error_response(match.error());
    if (match.error().kind == ErrorKind::method_not_allowed) {
      response.headers.push_back({"allow", router_.allowed_methods(request.path())});
    }
    co_return response;
  }
  Call call{request, body, *match->route, repeats_};
  call.arguments = std::move(match->arguments);
  if (call.route.access == Access::project) co_return co_await serve_project(call);
  if (call.route.access == Access::operator_only) {
    if (auto ok = authenticate_operator(settings_.operator_key_sha256, request); !ok) {
      co_return error_response(ok.error());
    }
  }
  if (auto read = co_await read_text(call); !read) co_return error_response(read.error());
  co_return co_await call.route.serve(call);
}

Task<http::Response> ServerApi::serve_project(Call& call) {
  const auto key = authenticator_.authenticate(call.request);
  if (!key) co_return error_response(key.error());
  call.project = key->project;
  call.key = key->id;
  auto refused = rate_limits_.take_request(call.project);
  auto response = refused ? std::move(*refused) : co_await serve_once(call);
  rate_limits_.add_headers(call.project, call.route.spends_tokens, response);
  response.headers.push_back({"openai-organization", "org-offpeak"});
  response.headers.push_back({"openai-project", call.project.text()});
  co_return response;
}

Task<http::Response> ServerApi::serve_once(Call& call) {
  if (call.request.method != "POST") co_return co_await call.route.serve(call);
  auto response = co_await serve_post(call);
  repeats_.ended(call);
  co_return response;
}

Task<http::Response> ServerApi::serve_post(Call& call) {
  if (auto refused = repeats_.claim(call)) co_return std::move(*refused);
  if (auto read = co_await read_text(call); !read) co_return error_response(read.error());
  if (call.route.body != BodyKind::form) {
    if (auto earlier = repeats_.answered(call, call.text)) co_return std::move(*earlier);
  }
  if (call.route.spends_tokens) {
    const std::uint64_t tokens = call.text.size() / kBytesPerToken;
    if (auto refused = rate_limits_.take_tokens(call.project, tokens)) {
      co_return std::move(*refused);
    }
  }
  auto response = co_await call.route.serve(call);
  co_await repeats_.keep(call, response);
  co_return response;
}

http::Response ServerApi::refuse(const Error& error, std::string_view request_id) {
  auto response = error_response(error);
  if (error.kind == ErrorKind::too_large) response.status = 431;
  add_standard_headers(response, request_id);
  return response;
}

}  // namespace offpeak
