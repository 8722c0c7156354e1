// Sends rows to one upstream: preserialised heads, spliced bodies, bytes unchanged.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "core/batch/outcome.h"
#include "pipeline/upstream/upstream_settings.h"
#include "platform/http/client.h"

namespace offpeak {

/// A request body as up to three stretches: with a replaced model, what stands before it, the new
/// name as a JSON literal, what stands behind it.
struct SplicedBody {
  std::string_view before;
  std::string_view model = {};
  std::string_view after = {};

  std::size_t size() const { return before.size() + model.size() + after.size(); }
};

/// Request line, host, user agent and the upstream's own key. `target` is OpenAI's path, a query
/// behind it included.
std::string basic_head(const UpstreamSettings& upstream, std::string_view method,
                       std::string_view target);

/// The head of requests to one endpoint of one upstream: everything that is the same for each row.
/// `endpoint` is OpenAI's path, such as "/v1/chat/completions".
std::string request_head(const UpstreamSettings& upstream, std::string_view method,
                         std::string_view endpoint);

/// What differs from row to row in the head.
struct RowHead {
  std::string_view idempotency_key;
  std::uint32_t attempt = 1;
};

/// One attempt: the reply, or why there is none. All views live until the task is done.
Task<Attempt> send_row(http::ClientConnection& connection, std::string_view head, RowHead row,
                       SplicedBody body, SteadyTime deadline);

}  // namespace offpeak
