// Recognises requests that their clients send again (contract section 6.4), so that nothing is made
// twice: by Idempotency-Key for a day, and without one by the retry counter of OpenAI's SDKs when
// the reply to the same request got lost minutes ago. REQUIRES: the API loop's thread.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "api/router.h"
#include "base/clock.h"
#include "base/error.h"
#include "platform/async/event_loop.h"
#include "platform/crypto/secret_box.h"
#include "platform/http/message.h"
#include "platform/meta/request_store.h"

namespace offpeak {

/// A longer reply is not kept; its request is then answered anew.
inline constexpr std::size_t kKeptReplyBytesMax = 4u << 20;

class Repeats {
 public:
  /// All outlive it.
  Repeats(RequestStore& store, const Clock& clock, Workers& workers, const SecretBox& box)
      : store_(store), clock_(clock), workers_(workers), box_(box) {}
  Repeats(const Repeats&) = delete;

  /// Takes the call's Idempotency-Key, if it has one, into call.mark. The reply to send instead if
  /// the key is malformed or another request with it is under way.
  std::optional<http::Response> claim(Call& call);

  /// Completes call.mark by `content`: whatever of the body tells two requests apart. The reply to
  /// send if this request has been answered before, or if it is a retry of one that still is under
  /// way.
  std::optional<http::Response> answered(Call& call, std::string_view content);

  /// The call is no longer under way. REQUIRES: once for each call, whatever came of it.
  void ended(const Call& call);

  /// Keeps the reply to a call with an Idempotency-Key, unless it is one that a later try may
  /// change or a stream.
  Task<> keep(const Call& call, const http::Response& response);

 private:
  void hold(Call& call, std::string name);
  std::optional<http::Response> made_before(Call& call);
  std::optional<http::Response> answered_by_key(Call& call);

  RequestStore& store_;
  const Clock& clock_;
  Workers& workers_;
  const SecretBox& box_;  // replies may hold secrets, so they are stored sealed
  /// Names of the calls under way: of keys, and of what a retry may repeat.
  std::multiset<std::string> under_way_;
};

}  // namespace offpeak
