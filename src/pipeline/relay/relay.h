// Passes synchronous calls through to the upstream that serves their model, byte for byte: only the
// value of `model` is replaced where an alias asks for it. They never wait behind batch rows; they
// are counted, and the dispatcher gives way. REQUIRES: the loop's thread.
#pragma once

#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "core/jsonl/json_text.h"
#include "pipeline/relay/model_field.h"
#include "pipeline/relay/relay_headers.h"
#include "pipeline/relay/relayed_call.h"
#include "pipeline/upstream/interactive_load.h"
#include "pipeline/upstream/model_directory.h"
#include "platform/async/event_loop.h"
#include "platform/http/client.h"
#include "platform/http/message.h"
#include "platform/http/watchdog.h"

namespace offpeak {

class Relay {
 public:
  /// All but `upstreams` outlive it. The calls run on `loop`.
  Relay(EventLoop& loop, const Clock& clock, const ModelDirectory& models,
        const std::vector<UpstreamSettings>& upstreams, InteractiveLoad& load);
  Relay(const Relay&) = delete;

  /// The upstream's answer whatever its status, its body a stream as it comes; or why there is
  /// none: invalid_request, not_found (model_not_found), unavailable, timeout. When `client`, whose
  /// body has been read, goes away, the call is broken off at the upstream at once.
  Task<Result<http::Response>> call(RelayRequest request, http::RequestBody& client);

 private:
  Task<> close_unused();
  Result<UpstreamSet> upstreams_for(const RelayRequest& request, const ModelField& model) const;
  /// Those that can be reached first, then the least busy.
  std::vector<RelayTarget*> by_preference(UpstreamSet upstreams) const;
  /// What replaces the model's value for `target`; empty: nothing does.
  std::string served_as(const RelayTarget& target, const ModelField& model) const;
  Task<Result<http::Response>> send(std::unique_ptr<RelayedCall> call, const RelayRequest& request,
                                    const ModelField& model, std::vector<RelayTarget*> targets);
  http::Response answer(http::ClientHead head, std::unique_ptr<RelayedCall> call) const;

  const Clock& clock_;
  const ModelDirectory& models_;
  InteractiveLoad& load_;
  http::Watchdog watchdog_;
  std::unique_ptr<http::TlsContext, void (*)(http::TlsContext*)> tls_ = http::make_tls_context();
  http::ClientContext context_;
  std::vector<std::unique_ptr<RelayTarget>> targets_;
  JsonValidator validator_;
  // Shared so that a call can see whether there is still a relay to go back to.
  std::shared_ptr<const Relay*> self_ = std::make_shared<const Relay*>(this);
};

}  // namespace offpeak
