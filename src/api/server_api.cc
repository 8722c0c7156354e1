#include "api/server_api.h"

#include <fmt/format.h>

#include <utility>

#include "api/auth.h"
#include "api/error_response.h"
#include "platform/observe/log.h"

namespace offpeak {
namespace {

void add_standard_headers(http::Response& response, std::string_view request_id) {
  response.headers.push_back({"x-request-id", std::string(request_id)});
  response.headers.push_back({"openai-version", "2020-10-01"});
  response.headers.push_back({"x-content-type-options", "nosniff"});
}

Task<http::Response> answer_ok(Call&) {
  http::Response response{.body = std::string("ok\n")};
  response.headers.push_back({"content-type", "text/plain; charset=utf-8"});
  co_return response;
}

}  // namespace

ServerApi::ServerApi(ApiWorld world, ApiSettings settings)
    : world_(world), settings_(std::move(settings)) {
  add_file_routes(router_, world_, settings_);
  add_batch_routes(router_, world_);
  add_model_routes(router_, world_, settings_);
  add_project_routes(router_, world_);
  router_.add({"GET", "/livez", Access::open, answer_ok});
  router_.add({"GET", "/healthz", Access::open, answer_ok});
  router_.add({"GET", "/readyz", Access::open, [this](Call& call) -> Task<http::Response> {
                 if (auto ok = world_.files.meta.check(); !ok) {
                   log::error("api", "not ready: {}", ok.error().message);
                   co_return error_response(
                       {ErrorKind::unavailable, "The metadata store does not answer."});
                 }
                 co_return co_await answer_ok(call);
               }});
}

Task<http::Response> ServerApi::handle(http::Request& request, http::RequestBody& body) {
  const SteadyTime start = world_.files.clock.steady_now();
  auto response = co_await route(request, body);
  add_standard_headers(response, request.id);
  const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(
      world_.files.clock.steady_now() - start);
  response.headers.push_back({"openai-processing-ms", fmt::format("{}", elapsed.count())});
  log::debug("api", "{} {} {} {} {} ms", request.id, request.method, request.path(),
             response.status, elapsed.count());
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
  Call call{request, body, {}, std::move(match->arguments)};
  if (match->route->access == Access::project) {
    auto project = authenticate(world_.files.meta, request);
    if (!project) co_return error_response(project.error());
    call.project = std::move(*project);
  } else if (match->route->access == Access::operator_only) {
    if (auto ok = authenticate_operator(settings_.operator_key_sha256, request); !ok) {
      co_return error_response(ok.error());
    }
  }
  co_return co_await match->route->serve(call);
}

http::Response ServerApi::refuse(const Error& error, std::string_view request_id) {
  auto response = error_response(error);
  if (error.kind == ErrorKind::too_large) response.status = 431;
  add_standard_headers(response, request_id);
  return response;
}

Task<Result<std::string>> read_body(Call& call, std::uint64_t bytes_max) {
  std::string text;
  while (true) {
    const auto piece = co_await call.body.read();
    if (!piece) co_return std::unexpected(piece.error());
    if (piece->empty()) co_return text;
    if (text.size() + piece->size() > bytes_max) {
      co_return fail(ErrorKind::too_large,
                     fmt::format("The request body is larger than {} bytes.", bytes_max));
    }
    text += *piece;
  }
}

}  // namespace offpeak
