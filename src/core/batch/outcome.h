// What an attempt means to us. One pure function classifies it; the dispatcher, the planner and the
// journal switch over the two alternatives and know nothing of HTTP.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/clock.h"
#include "core/records/usage.h"

namespace offpeak {

/// A final HTTP answer: status 200 with valid JSON, or a status that retrying does not change.
struct Answered {
  int status = 0;
  std::string body;        // as the upstream sent it
  std::string request_id;  // the upstream's x-request-id, may be empty
};

/// Not answered yet. `not_before` is the upstream's own wish (Retry-After), as a delay.
struct RetryLater {
  std::string code;     // for the error object should this have been the last attempt
  std::string message;  // likewise: what happened
  std::optional<std::chrono::milliseconds> not_before;
  bool unreachable =
      false;  // no connection came about: the upstream is down, the row is not at fault
  std::optional<Answered> last_answer;  // a retryable status: what the row gets if retries run out
};

using Outcome = std::variant<Answered, RetryLater>;

/// How an attempt ended on the wire.
struct HttpReply {
  int status = 0;
  std::string body;
  std::string request_id;
  std::string retry_after;  // header values as sent, empty if absent
  std::string retry_after_ms;
};
enum class TransportFailure { connect, timeout, broken, head_too_large, body_too_large };
struct NoReply {
  TransportFailure failure = TransportFailure::broken;
  std::string detail;  // "connection refused"
};
using Attempt = std::variant<HttpReply, NoReply>;

/// Statuses that are worth another attempt: 408, 409, 429 and 5xx.
bool is_retryable_status(int status);

/// `json_valid` says whether a 200's body is one JSON value; `now` is for Retry-After dates.
Outcome classify(Attempt attempt, bool json_valid, WallTime now);

/// The delay that a reply's Retry-After headers ask for: milliseconds, seconds or an HTTP date;
/// never negative, at most kRetryAfterMax. A wish above kRetryAfterSensible is nonsense and counts
/// as none.
inline constexpr std::chrono::milliseconds kRetryAfterMax = std::chrono::minutes(10);
inline constexpr std::chrono::milliseconds kRetryAfterSensible = std::chrono::hours(1);
std::optional<std::chrono::milliseconds> parse_retry_after(std::string_view retry_after,
                                                           std::string_view retry_after_ms,
                                                           WallTime now);

}  // namespace offpeak
