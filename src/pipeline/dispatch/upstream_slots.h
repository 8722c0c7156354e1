// An upstream as the dispatcher drives it: so many slots, each with a connection of its own that it
// keeps between rows. REQUIRES: the dispatch loop's thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/pace/upstream_gate.h"
#include "core/schedule/planner.h"
#include "pipeline/upstream/upstream_settings.h"
#include "platform/http/client.h"

namespace offpeak {

struct Slot {
  Slot(const http::ClientContext& context, const http::Endpoint& endpoint)
      : connection(context, endpoint) {}

  http::ClientConnection connection;
  BatchTicket batch{};  // of the row that is under way
  bool sending = false;
  std::string asked_model;   // JSON literals: the last row's model, and the name
  std::string served_model;  // under which this upstream knows it
};

class UpstreamSlots {
 public:
  UpstreamSlots(UpstreamIndex index, UpstreamSettings settings, const http::ClientContext& context);

  UpstreamIndex index() const { return index_; }
  const UpstreamSettings& settings() const { return settings_; }
  UpstreamGate& gate() { return gate_; }

  /// A free slot, its connection as its last row left it. REQUIRES: fewer than max_concurrency are
  /// busy.
  Slot& acquire();
  void release(Slot& slot);
  std::uint32_t busy() const { return busy_; }
  /// Breaks off the attempts of one batch, or all.
  void abort(BatchTicket batch);
  void abort_all();

  /// The part of a request's head that all rows of an endpoint share.
  std::string_view head(const std::string& endpoint);

 private:
  UpstreamIndex index_;
  UpstreamSettings settings_;
  http::ClientContext context_;
  UpstreamGate gate_;
  std::vector<std::unique_ptr<Slot>> slots_;
  std::vector<Slot*> free_;  // the last one used is used first
  std::uint32_t busy_ = 0;
  std::unordered_map<std::string, std::string> heads_;
};

}  // namespace offpeak
