// The real sender. It is called with URLs of strangers, hence: the URL is read by our own strict
// parser and handed on in normal form; the name is resolved once, every one of its addresses must
// be allowed, and only those are connected to; no redirect, proxy or stored credential is followed;
// TLS certificates are verified; of the answer only the status is looked at.
#pragma once

#include <atomic>
#include <chrono>
#include <string>

#include "base/clock.h"
#include "platform/webclient/resolver.h"
#include "platform/webclient/webhook_sender.h"

namespace offpeak {

struct CurlSenderOptions {
  bool allow_private = false;  // on-premises addresses, and http
  std::chrono::milliseconds lookup_timeout{5'000};
  std::chrono::milliseconds connect_timeout{5'000};
  std::chrono::milliseconds total_timeout{10'000};  // the lookup included
  std::size_t answer_bytes_max = 64 * 1024;
};

class CurlSender final : public WebhookSender {
 public:
  CurlSender(const Clock& clock, CurlSenderOptions options, Lookup lookup = system_lookup);

  Status check(const std::string& url) override;
  WebhookReply send(const WebhookRequest& request) override;
  void stop() override;

 private:
  const Clock& clock_;
  CurlSenderOptions options_;
  Resolver resolver_;
  std::atomic<bool> stopped_ = false;
};

}  // namespace offpeak
