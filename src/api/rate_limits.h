// How many requests and tokens a project may send a minute, and the headers that tell clients how
// much of it is left (contract sections 6.2, 6.3). REQUIRES: the API loop's thread.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/id.h"
#include "core/pace/token_bucket.h"
#include "platform/http/message.h"

namespace offpeak {

inline constexpr std::uint64_t kNoRateLimit = std::numeric_limits<std::uint64_t>::max();

struct RateLimitSettings {
  std::uint64_t requests_per_minute = kNoRateLimit;
  std::uint64_t tokens_per_minute = kNoRateLimit;
};

class RateLimits {
 public:
  /// `clock` outlives it.
  RateLimits(const Clock& clock, RateLimitSettings settings) : clock_(clock), settings_(settings) {}

  /// Counts a request; the 429 to send if the project has no more left.
  std::optional<http::Response> take_request(const ProjectId& project);
  /// Counts a synchronous request's tokens likewise.
  std::optional<http::Response> take_tokens(const ProjectId& project, std::uint64_t tokens);
  /// Adds the x-ratelimit-* headers of what is limited; those of tokens only with `tokens`.
  void add_headers(const ProjectId& project, bool tokens, http::Response& response);

 private:
  struct Buckets {
    std::optional<TokenBucket> requests;
    std::optional<TokenBucket> tokens;
  };

  Buckets& buckets_of(const ProjectId& project);

  const Clock& clock_;
  RateLimitSettings settings_;
  std::unordered_map<ProjectId, Buckets> buckets_;
};

}  // namespace offpeak
