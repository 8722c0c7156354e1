// Who is calling? Keys are looked up by hash; the answer to a bad one never says how it is bad.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/clock.h"
#include "base/error.h"
#include "base/id.h"
#include "platform/http/message.h"
#include "platform/meta/meta_store.h"

namespace offpeak {

/// The key of an Authorization header: "Bearer KEY", or Basic with KEY as the password.
std::optional<std::string> presented_key(const http::Request& request);

/// Looks keys up, and remembers good ones for a moment: a busy caller costs the store two look-ups
/// a second, and a revoked key is refused within kKnownFor. REQUIRES: one thread.
class Authenticator {
 public:
  static constexpr std::chrono::milliseconds kKnownFor{500};

  /// Both outlive it.
  Authenticator(MetaStore& meta, const Clock& clock) : meta_(meta), clock_(clock) {}

  /// The caller's key; unauthenticated with the service's texts (contract section 6.2).
  Result<ApiKey> authenticate(const http::Request& request);

 private:
  struct Known {
    ApiKey key;
    SteadyTime until;
  };

  MetaStore& meta_;
  const Clock& clock_;
  std::unordered_map<std::string, Known> known_;  // by hash
};

/// Whether the caller presents the operator's key, given as its SHA-256.
Status authenticate_operator(std::string_view operator_key_sha256, const http::Request& request);

}  // namespace offpeak
