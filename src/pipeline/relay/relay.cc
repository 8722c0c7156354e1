#include "pipeline/relay/relay.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include "pipeline/upstream/upstream_client.h"
#include "platform/observe/log.h"

namespace offpeak {
namespace {

using namespace std::chrono_literals;

/// How long an upstream that could not be reached comes after the others.
constexpr auto kDownFor = 2s;
/// Servers close idle connections after 5 s (uvicorn) to minutes.
constexpr auto kUnusedMax = 30s;
constexpr auto kUnusedCheck = 5s;

Error no_such_model(std::string_view model) {
  return {ErrorKind::not_found,
          fmt::format("The model '{}' does not exist or you do not have access to it.", model),
          "model_not_found", "model"};
}

Error unreachable(std::string_view model) {
  return {
      ErrorKind::unavailable,
      fmt::format("No server of the model '{}' can be reached right now. Try again in a moment.",
                  model),
      "upstream_unreachable"};
}

Error broken(const http::ClientFailure& failure) {
  using enum http::ClientFailureKind;
  if (failure.kind == timeout) {
    return {ErrorKind::timeout, "The model's server did not answer in time.", "upstream_timeout"};
  }
  if (failure.kind == head_not_acceptable) {
    return {ErrorKind::unavailable, "The model's server sent an answer that is not valid HTTP.",
            "invalid_upstream_response"};
  }
  return {ErrorKind::unavailable, "The model's server broke the connection without an answer.",
          "upstream_connection_broken"};
}

/// `served` empty: unchanged.
SplicedBody splice(std::string_view body, const ModelField& model, std::string_view served) {
  if (served.empty()) return {body};
  const auto at = static_cast<std::size_t>(model.value.data() - body.data());
  return {body.substr(0, at), served, body.substr(at + model.value.size())};
}

}  // namespace

Relay::Relay(EventLoop& loop, const Clock& clock, const ModelDirectory& models,
             const std::vector<UpstreamSettings>& upstreams, InteractiveLoad& load)
    : clock_(clock),
      models_(models),
      load_(load),
      watchdog_(clock),
      context_{loop, watchdog_, *tls_} {
  for (const auto& upstream : upstreams) {
    const auto index = static_cast<UpstreamIndex>(targets_.size());
    targets_.push_back(std::make_unique<RelayTarget>(index, upstream, context_));
  }
  loop.spawn(watchdog_.run(loop));
  loop.spawn(close_unused());
}

Task<> Relay::close_unused() {
  while (true) {
    co_await sleep_for(context_.loop, kUnusedCheck);
    for (const auto& target : targets_) {
      target->pool.close_unused(clock_.steady_now() - kUnusedMax);
    }
  }
}

Result<UpstreamSet> Relay::upstreams_for(const RelayRequest& request,
                                         const ModelField& model) const {
  if (model.name.empty() && request.needs_model) {
    return fail(ErrorKind::invalid_request, "you must provide a model parameter");
  }
  const auto route = models_.route(model.name);
  if (route) return route->upstreams;
  if (models_.incomplete()) return std::unexpected(unreachable(model.name));
  if (model.name.empty()) {
    return fail(ErrorKind::invalid_request, "you must provide a model parameter");
  }
  return std::unexpected(no_such_model(model.name));
}

std::vector<RelayTarget*> Relay::by_preference(UpstreamSet upstreams) const {
  std::vector<RelayTarget*> targets;
  for (const auto& target : targets_) {
    if (upstreams.test(target->index)) targets.push_back(target.get());
  }
  if (targets.size() < 2) return targets;
  const SteadyTime now = clock_.steady_now();
  const auto rank = [&](const RelayTarget* target) {
    const auto figures = load_.figures(target->index);
    const double share = static_cast<double>(figures.in_flight) /
                         static_cast<double>(target->settings.max_concurrency);
    return std::tuple(target->down_until > now, share, figures.begun, target->index);
  };
  std::ranges::sort(targets, {}, rank);
  return targets;
}

std::string Relay::served_as(const RelayTarget& target, const ModelField& model) const {
  if (model.value.empty()) return {};
  const std::string served = models_.served_name(target.index, model.name);
  return served == model.name ? std::string() : model.spelled(served);
}

Task<Result<http::Response>> Relay::call(RelayRequest request, http::RequestBody& client) {
  const auto model = find_model(request.body, request.content_type, validator_);
  if (!model) co_return std::unexpected(model.error());
  const auto upstreams = upstreams_for(request, *model);
  if (!upstreams) co_return std::unexpected(upstreams.error());
  auto call = std::make_unique<RelayedCall>(RelayedCall::World{clock_, load_, self_});
  client.when_gone([watched = call->watched()] {
    if (const auto alive = watched.lock()) (*alive)->abort();
  });
  co_return co_await send(std::move(call), request, *model, by_preference(*upstreams));
}

Task<Result<http::Response>> Relay::send(std::unique_ptr<RelayedCall> call,
                                         const RelayRequest& request, const ModelField& model,
                                         std::vector<RelayTarget*> targets) {
  for (RelayTarget* const target : targets) {
    const std::string served = served_as(*target, model);
    const SplicedBody body = splice(request.body, model, served);
    const std::string head = upstream_head(target->settings, request, body.size());
    const std::array<std::string_view, 4> pieces = {head, body.before, body.model, body.after};
    auto reply = co_await call->open(*target, pieces);
    if (call->aborted()) co_return fail(ErrorKind::unavailable, "The client has gone.");
    if (reply) co_return answer(std::move(*reply), std::move(call));
    log::warn("relay", "upstream {}: {}", target->settings.label(), reply.error().detail);
    if (reply.error().kind != http::ClientFailureKind::connect) {
      co_return std::unexpected(broken(reply.error()));
    }
    target->down_until = clock_.steady_now() + kDownFor;
  }
  co_return std::unexpected(unreachable(model.name));
}

http::Response Relay::answer(http::ClientHead head, std::unique_ptr<RelayedCall> call) const {
  http::Response response{.status = head.status,
                          .headers = client_headers(head.headers, clock_.wall_now()),
                          .body = {}};
  if (head.content_length == 0) {
    call->finish();
  } else {
    response.body = std::move(call);
  }
  return response;
}

}  // namespace offpeak
