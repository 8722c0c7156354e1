#include "core/batch/outcome.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <ctime>
#include <utility>

namespace offpeak {
namespace {

std::optional<double> parse_number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) {
    return std::nullopt;
  }
  return value;
}

std::optional<std::chrono::milliseconds> bounded(double ms) {
  if (ms > static_cast<double>(kRetryAfterSensible.count())) return std::nullopt;
  return std::chrono::milliseconds(
      static_cast<std::int64_t>(std::clamp(ms, 0.0, static_cast<double>(kRetryAfterMax.count()))));
}

std::optional<WallTime> parse_http_date(const std::string& text) {
  std::tm parts{};
  const char* const end = ::strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  if (end == nullptr || *end != '\0') return std::nullopt;
  return WallTime(std::chrono::seconds(::timegm(&parts)));
}

std::pair<std::string, std::string> describe(const NoReply& none) {
  const auto with = [&](std::string_view what) { return fmt::format("{}: {}", what, none.detail); };
  switch (none.failure) {
    case TransportFailure::connect:
      return {"upstream_unreachable", with("The upstream could not be reached")};
    case TransportFailure::timeout:
      return {"upstream_timeout", with("The upstream did not answer in time")};
    case TransportFailure::broken:
      return {"upstream_connection_broken", with("The upstream broke off its answer")};
    case TransportFailure::head_too_large:
      return {"invalid_upstream_response",
              with("The head of the upstream's answer is not acceptable")};
    case TransportFailure::body_too_large:
      return {"upstream_response_too_large", with("The upstream's answer is too large")};
  }
  std::unreachable();
}

Outcome classify_reply(HttpReply reply, bool json_valid, WallTime now) {
  if (reply.status == 200 && !json_valid) {
    return RetryLater{.code = "invalid_upstream_response",
                      .message = reply.body.empty()
                                     ? "The upstream answered 200 with an empty body."
                                     : "The upstream answered 200 with a body that is not JSON."};
  }
  Answered answer{reply.status, std::move(reply.body), std::move(reply.request_id)};
  if (!is_retryable_status(reply.status)) return answer;
  return RetryLater{.code = "upstream_error",
                    .message = fmt::format("The upstream answered {}.", reply.status),
                    .not_before = parse_retry_after(reply.retry_after, reply.retry_after_ms, now),
                    .last_answer = std::move(answer)};
}

}  // namespace

bool is_retryable_status(int status) {
  return status == 408 || status == 409 || status == 429 || status >= 500;
}

std::optional<std::chrono::milliseconds> parse_retry_after(std::string_view retry_after,
                                                           std::string_view retry_after_ms,
                                                           WallTime now) {
  if (const auto ms = parse_number(retry_after_ms)) return bounded(*ms);
  if (const auto seconds = parse_number(retry_after)) return bounded(*seconds * 1000);
  if (const auto date = parse_http_date(std::string(retry_after))) {
    return bounded(static_cast<double>((*date - now).count()));
  }
  return std::nullopt;
}

Outcome classify(Attempt attempt, bool json_valid, WallTime now) {
  if (auto* const reply = std::get_if<HttpReply>(&attempt)) {
    return classify_reply(std::move(*reply), json_valid, now);
  }
  const auto& none = std::get<NoReply>(attempt);
  auto [code, message] = describe(none);
  return RetryLater{.code = std::move(code),
                    .message = std::move(message),
                    .unreachable = none.failure == TransportFailure::connect};
}

}  // namespace offpeak
