// A sender for tests: keeps what was sent and answers as the test says.
#pragma once

#include <functional>
#include <mutex>
#include <utility>
#include <vector>

#include "platform/webclient/webhook_sender.h"

namespace offpeak {

/// Thread-safe. By default every request is answered with 200.
class ScriptedSender final : public WebhookSender {
 public:
  using Script = std::function<WebhookReply(const WebhookRequest&)>;

  /// May block; called without any lock held.
  void script(Script script) {
    const std::lock_guard lock(mutex_);
    script_ = std::move(script);
  }
  std::vector<WebhookRequest> sent() const {
    const std::lock_guard lock(mutex_);
    return sent_;
  }

  /// URLs with "forbidden" in them are refused.
  Status check(const std::string& url) override {
    if (url.contains("forbidden")) {
      return fail(ErrorKind::invalid_request, "Invalid 'url'.", "invalid_value", "url");
    }
    return {};
  }
  WebhookReply send(const WebhookRequest& request) override {
    Script script;
    {
      const std::lock_guard lock(mutex_);
      if (stopped_) return {.interrupted = true};
      sent_.push_back(request);
      script = script_;
    }
    return script ? script(request) : WebhookReply{.status = 200};
  }
  void stop() override {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<WebhookRequest> sent_;
  Script script_;
  bool stopped_ = false;
};

}  // namespace offpeak
