#include "api/rate_limits.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "api/error_response.h"
#include "core/openai/wire.h"

namespace offpeak {
namespace {

using std::chrono::milliseconds;

/// What the buckets are called: in messages, in the error's type and in headers.
struct Kind {
  std::string_view long_name;
  std::string_view short_name;
  std::string_view type;
};
constexpr Kind kRequests{"requests per min", "RPM", "requests"};
constexpr Kind kTokens{"tokens per min", "TPM", "tokens"};

/// "120ms", "1s", "6m0s"
std::string duration_text(milliseconds time) {
  if (time < milliseconds(1000)) return fmt::format("{}ms", time.count());
  const auto seconds = (time.count() + 999) / 1000;
  return seconds < 60 ? fmt::format("{}s", seconds)
                      : fmt::format("{}m{}s", seconds / 60, seconds % 60);
}

std::uint64_t whole(double amount) {
  return static_cast<std::uint64_t>(std::max(0.0, std::floor(amount)));
}

http::Response refusal(const ProjectId& project, const Kind& kind, const TokenBucket& bucket,
                       double amount, SteadyTime now) {
  const milliseconds wait = bucket.wait_for(amount, now);
  const std::string message = fmt::format(
      "Rate limit reached for project {} on {} ({}): Limit {}, Used {}, Requested {}. Please try "
      "again in {}.",
      project, kind.long_name, kind.short_name, whole(bucket.size()),
      whole(bucket.size() - bucket.held(now)), whole(amount), duration_text(wait));
  auto response = json_response(
      error_object({.message = message, .type = kind.type, .code = "rate_limit_exceeded"}), 429);
  const auto seconds = std::clamp<std::int64_t>((wait.count() + 999) / 1000, 1, 60);
  response.headers.push_back({"retry-after", fmt::format("{}", seconds)});
  return response;
}

std::optional<TokenBucket> bucket_of(std::uint64_t per_minute, SteadyTime now) {
  if (per_minute == kNoRateLimit) return std::nullopt;
  return TokenBucket(static_cast<double>(per_minute), now);
}

std::optional<http::Response> take(const ProjectId& project, const Kind& kind,
                                   std::optional<TokenBucket>& bucket, double amount,
                                   SteadyTime now) {
  if (!bucket || bucket->take(amount, now)) return std::nullopt;
  return refusal(project, kind, *bucket, amount, now);
}

void add(http::Response& response, const Kind& kind, const std::optional<TokenBucket>& bucket,
         SteadyTime now) {
  if (!bucket) return;
  // An upstream that limits is the one that counts.
  if (!http::find_header(response.headers, fmt::format("x-ratelimit-limit-{}", kind.type))
           .empty()) {
    return;
  }
  const auto name = [&](std::string_view what) {
    return fmt::format("x-ratelimit-{}-{}", what, kind.type);
  };
  response.headers.push_back({name("limit"), fmt::format("{}", whole(bucket->size()))});
  response.headers.push_back({name("remaining"), fmt::format("{}", whole(bucket->held(now)))});
  response.headers.push_back({name("reset"), duration_text(bucket->full_in(now))});
}

}  // namespace

RateLimits::Buckets& RateLimits::buckets_of(const ProjectId& project) {
  const auto found = buckets_.find(project);
  if (found != buckets_.end()) return found->second;
  const SteadyTime now = clock_.steady_now();
  const Buckets full{bucket_of(settings_.requests_per_minute, now),
                     bucket_of(settings_.tokens_per_minute, now)};
  return buckets_.emplace(project, full).first->second;
}

std::optional<http::Response> RateLimits::take_request(const ProjectId& project) {
  return take(project, kRequests, buckets_of(project).requests, 1, clock_.steady_now());
}

std::optional<http::Response> RateLimits::take_tokens(const ProjectId& project,
                                                      std::uint64_t tokens) {
  return take(project, kTokens, buckets_of(project).tokens, static_cast<double>(tokens),
              clock_.steady_now());
}

void RateLimits::add_headers(const ProjectId& project, bool tokens, http::Response& response) {
  const Buckets& buckets = buckets_of(project);
  const SteadyTime now = clock_.steady_now();
  add(response, kRequests, buckets.requests, now);
  if (tokens) add(response, kTokens, buckets.tokens, now);
}

}  // namespace offpeak
