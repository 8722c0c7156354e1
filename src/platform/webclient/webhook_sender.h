// Sending one webhook, and saying whether a URL may be sent to at all.
//
// Implementations: CurlSender; ScriptedSender for tests.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace offpeak {

struct WebhookRequest {
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

/// What the receiver answered; nothing of its words is kept.
struct WebhookReply {
  int status = 0;            // 0: no HTTP answer, `error` says why
  std::string error = {};    // for the endpoint's owner: names no address and no other internals
  bool interrupted = false;  // the sender was stopped: it may or may not have arrived
};

/// Thread-safe; calls block.
class WebhookSender {
 public:
  virtual ~WebhookSender() = default;

  /// invalid_request with param `url` if the URL will never be sent to as this server is
  /// configured. A name that cannot be resolved now is no reason.
  virtual Status check(const std::string& url) = 0;
  virtual WebhookReply send(const WebhookRequest& request) = 0;
  /// Ends what is being sent, and every later call, at once.
  virtual void stop() = 0;
};

}  // namespace offpeak
