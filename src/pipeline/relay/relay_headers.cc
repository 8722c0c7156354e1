#include "pipeline/relay/relay_headers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>

#include "core/batch/outcome.h"
#include "pipeline/upstream/upstream_client.h"

namespace offpeak {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kWaitMin = 1s;
constexpr std::chrono::milliseconds kWaitMax = 60s;

constexpr std::array<std::string_view, 4> kThrough = {"content-type", "content-encoding",
                                                      "cache-control", "x-should-retry"};
constexpr std::array<std::string_view, 2> kFamilies = {"x-ratelimit-", "openai-"};
/// These say who answers, and that is us.
constexpr std::array<std::string_view, 4> kOwn = {"openai-processing-ms", "openai-version",
                                                  "openai-project", "openai-organization"};

bool is_one_of(std::string_view name, const auto& names) {
  return std::ranges::any_of(names,
                             [&](std::string_view known) { return http::iequals(name, known); });
}

bool goes_through(std::string_view name) {
  if (is_one_of(name, kThrough)) return true;
  const bool family = std::ranges::any_of(kFamilies, [&](std::string_view prefix) {
    return http::iequals(name.substr(0, prefix.size()), prefix);
  });
  return family && !is_one_of(name, kOwn);
}

void add_wait(std::vector<http::Header>& headers, std::string_view seconds, std::string_view ms,
              WallTime now) {
  const auto wish = parse_retry_after(seconds, ms, now);
  if (!wish) return;
  const auto wait = std::clamp(*wish, kWaitMin, kWaitMax);
  if (!ms.empty()) headers.push_back({"retry-after-ms", fmt::format("{}", wait.count())});
  headers.push_back({"retry-after", fmt::format("{}", (wait.count() + 999) / 1000)});
}

}  // namespace

std::string upstream_head(const UpstreamSettings& upstream, const RelayRequest& request,
                          std::size_t body_bytes) {
  const std::string target = request.query.empty()
                                 ? std::string(request.path)
                                 : fmt::format("{}?{}", request.path, request.query);
  std::string head = basic_head(upstream, "POST", target);
  const auto add = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) fmt::format_to(std::back_inserter(head), "{}: {}\r\n", name, value);
  };
  add("accept", request.accept.empty() ? "application/json" : request.accept);
  add("content-type", request.content_type.empty() ? "application/json" : request.content_type);
  add("x-request-id", request.request_id);
  add("x-client-request-id", request.client_request_id);
  fmt::format_to(std::back_inserter(head), "content-length: {}\r\n\r\n", body_bytes);
  return head;
}

std::vector<http::Header> client_headers(const std::vector<http::Header>& reply, WallTime now) {
  std::vector<http::Header> headers;
  std::string_view seconds;
  std::string_view ms;
  for (const auto& header : reply) {
    if (http::iequals(header.name, "retry-after")) seconds = header.value;
    if (http::iequals(header.name, "retry-after-ms")) ms = header.value;
    if (goes_through(header.name)) headers.push_back(header);
  }
  add_wait(headers, seconds, ms, now);
  return headers;
}

}  // namespace offpeak
