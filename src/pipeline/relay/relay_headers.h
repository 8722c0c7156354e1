// Which headers cross the relay, in either direction.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "pipeline/upstream/upstream_settings.h"
#include "platform/http/message.h"

namespace offpeak {

/// One synchronous request as a client sent it. Everything lives until the call has its reply's
/// head.
struct RelayRequest {
  std::string_view path;   // OpenAI's, such as "/v1/chat/completions"
  std::string_view query;  // behind "?", as sent
  std::string_view content_type;
  std::string_view accept;
  std::string_view client_request_id;  // X-Client-Request-Id
  std::string_view request_id;         // ours
  std::string& body;
  bool needs_model = true;  // false: a body without one goes to the default
};

/// The head of the request that goes to `upstream`, with a body of `body_bytes`. Nothing else of
/// what the client sent goes along: its key and its cookies are for us.
std::string upstream_head(const UpstreamSettings& upstream, const RelayRequest& request,
                          std::size_t body_bytes);

/// Those of an upstream's reply that the client gets: what describes the body, and what the SDKs
/// act on, with waits between 1 and 60 s (contract section 6.4).
std::vector<http::Header> client_headers(const std::vector<http::Header>& reply, WallTime now);

}  // namespace offpeak
