// One synchronous call on its way: an upstream's connection and the answer that comes over it,
// piece by piece as it arrives. Destroying it before the answer's end breaks the call off at the
// upstream.
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "pipeline/relay/connection_pool.h"
#include "pipeline/upstream/interactive_load.h"
#include "pipeline/upstream/upstream_settings.h"
#include "platform/http/client.h"
#include "platform/http/message.h"

namespace offpeak {

class Relay;

/// An upstream as the relay uses it.
struct RelayTarget {
  RelayTarget(UpstreamIndex number, UpstreamSettings with, const http::ClientContext& context)
      : index(number), settings(std::move(with)), pool(context, settings.endpoint) {}
  RelayTarget(const RelayTarget&) = delete;

  UpstreamIndex index;
  UpstreamSettings settings;
  ConnectionPool pool;
  SteadyTime down_until{};  // no connection came about a moment ago
};

class RelayedCall final : public http::ResponseStream {
 public:
  /// What it uses. It may outlive the relay only as what the loop drops at its end.
  struct World {
    const Clock& clock;
    InteractiveLoad& load;
    std::weak_ptr<const Relay*> relay;
  };
  explicit RelayedCall(World world) : world_(std::move(world)) {}
  ~RelayedCall() override { end(InteractiveLoad::End::cancelled); }

  /// Sends the request to `target`, which outlives the call; after a failure another one may be
  /// tried. `request` lives until the task is done.
  Task<std::expected<http::ClientHead, http::ClientFailure>> open(
      RelayTarget& target, std::span<const std::string_view> request);
  /// An answer without a body: it is whole.
  void finish() { end(InteractiveLoad::End::answered); }
  /// Breaks the call off; whoever waits for the upstream gets a failure.
  void abort();
  bool aborted() const { return aborted_; }
  /// The call, for as long as it lives.
  std::weak_ptr<RelayedCall*> watched() const { return self_; }

  std::optional<std::uint64_t> length() const override { return length_; }
  Task<Result<std::string_view>> next() override;

 private:
  void end(InteractiveLoad::End how);

  World world_;
  // Shared so that the client's connection can see that the call is over.
  std::shared_ptr<RelayedCall*> self_ = std::make_shared<RelayedCall*>(this);
  RelayTarget* target_ = nullptr;  // while the call is under way there
  std::unique_ptr<http::ClientConnection> connection_;
  std::unique_ptr<char[]> piece_;
  std::optional<std::uint64_t> length_;
  SteadyTime deadline_{};
  bool event_stream_ = false;  // may last as long as it moves
  bool aborted_ = false;
};

}  // namespace offpeak
