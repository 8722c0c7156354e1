// What makes a request recognisable when its client sends it again, and the reply kept for it
// (contract section 6.4: the SDKs repeat a POST whose reply was lost, without any key).
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace offpeak {

/// How long requests are recognised, with an Idempotency-Key and without.
inline constexpr std::chrono::hours kKeyedRequestLife{24};
inline constexpr std::chrono::minutes kUnkeyedRequestLife{15};

/// Stored with the object that the request makes, in the same transaction. Empty: not recognisable.
struct RequestMark {
  std::string fingerprint;      // hash of API key, method, path and what the body says
  std::string idempotency_key;  // hash of the caller's Idempotency-Key; empty if none was sent

  bool empty() const { return fingerprint.empty(); }
  bool operator==(const RequestMark&) const = default;
};

struct StoredReply {
  int status = 200;
  std::string content_type;
  std::string body;

  bool operator==(const StoredReply&) const = default;
};

/// What is known of a request that came with an Idempotency-Key.
struct KeyedRequest {
  std::string fingerprint;
  std::string object;                // id of what it made; empty: nothing, or not known
  std::optional<StoredReply> reply;  // absent: the server stopped before it had answered

  bool operator==(const KeyedRequest&) const = default;
};

}  // namespace offpeak
