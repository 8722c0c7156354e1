#include "pipeline/upstream/discovery.h"

#include <fmt/format.h>

#include <array>
#include <boost/json.hpp>
#include <expected>
#include <utility>

#include "pipeline/upstream/upstream_client.h"
#include "platform/http/watchdog.h"
#include "platform/observe/log.h"

namespace offpeak {
namespace {

using namespace std::chrono_literals;
constexpr auto kAskAgain = 1000ms;
constexpr auto kRefresh = 60s;
constexpr auto kAskTimeout = 10s;

std::expected<std::vector<std::string>, std::string> parse_models(
    const http::ClientResult& result) {
  if (const auto* const failure = std::get_if<http::ClientFailure>(&result)) {
    return std::unexpected(failure->detail);
  }
  const auto& reply = std::get<http::ClientReply>(result);
  if (reply.status != 200) {
    return std::unexpected(fmt::format("GET /v1/models answered {}", reply.status));
  }
  boost::system::error_code error;
  const auto document = boost::json::parse(reply.body, error);
  const auto* const object = error ? nullptr : document.if_object();
  const auto* const data = object != nullptr ? object->if_contains("data") : nullptr;
  if (data == nullptr || !data->is_array()) {
    return std::unexpected("GET /v1/models did not answer with a list of models");
  }
  std::vector<std::string> models;
  for (const auto& model : data->get_array()) {
    const auto* const entry = model.if_object();
    const auto* const id = entry != nullptr ? entry->if_contains("id") : nullptr;
    if (id != nullptr && id->is_string()) models.emplace_back(id->get_string());
  }
  return models;
}

}  // namespace

Task<> discover_models(const http::ClientContext& context, const Clock& clock,
                       ModelDirectory& directory, UpstreamIndex index,
                       const UpstreamSettings& upstream) {
  http::ClientConnection connection(context, upstream.endpoint);
  const std::string request = request_head(upstream, "GET", "/v1/models") + "\r\n";
  const std::array<std::string_view, 1> pieces = {request};
  bool complained = false;
  while (true) {
    const auto result = co_await connection.exchange(pieces, clock.steady_now() + kAskTimeout);
    auto models = parse_models(result);
    if (models) {
      directory.discovered(index, std::move(*models));
      complained = false;
    } else {
      directory.not_discovered(index, models.error());
      if (!std::exchange(complained, true)) {
        log::warn(
            "upstream",
            "upstream {} cannot be asked for its models: {}; offpeak keeps trying. Check that "
            "the server runs and that base_url is right, or list its `models`.",
            upstream.label(), models.error());
      }
    }
    co_await sleep_for(context.loop, models ? std::chrono::milliseconds(kRefresh) : kAskAgain);
  }
}

}  // namespace offpeak
