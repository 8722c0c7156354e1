#include "pipeline/relay/relayed_call.h"

#include <utility>

#include "platform/observe/log.h"

namespace offpeak {
namespace {

constexpr std::size_t kPieceBytes = 32 * 1024;

bool is_event_stream(const http::ClientHead& head) {
  constexpr std::string_view kType = "text/event-stream";
  return http::iequals(head.header("content-type").substr(0, kType.size()), kType);
}

}  // namespace

Task<std::expected<http::ClientHead, http::ClientFailure>> RelayedCall::open(
    RelayTarget& target, std::span<const std::string_view> request) {
  target_ = &target;
  world_.load.begin(target.index);
  connection_ = target.pool.take();
  deadline_ = world_.clock.steady_now() + target.settings.timeout;
  auto head = co_await connection_->open(request, deadline_);
  if (!head || aborted_) {
    end(aborted_ ? InteractiveLoad::End::cancelled : InteractiveLoad::End::failed);
    co_return std::move(head);
  }
  length_ = head->content_length;
  event_stream_ = is_event_stream(*head);
  co_return std::move(head);
}

void RelayedCall::abort() {
  aborted_ = true;
  if (connection_) connection_->abort();
}

Task<Result<std::string_view>> RelayedCall::next() {
  if (!connection_) co_return std::string_view();
  if (!piece_) piece_ = std::make_unique_for_overwrite<char[]>(kPieceBytes);
  const SteadyTime by =
      event_stream_ ? world_.clock.steady_now() + target_->settings.timeout : deadline_;
  const auto count = co_await connection_->read({piece_.get(), kPieceBytes}, by);
  if (!count) {
    if (!aborted_) {
      log::warn("relay", "upstream {} broke off its answer: {}", target_->settings.label(),
                count.error().detail);
    }
    end(aborted_ ? InteractiveLoad::End::cancelled : InteractiveLoad::End::failed);
    co_return fail(ErrorKind::unavailable, "The model's server broke off its answer.");
  }
  if (*count == 0) end(InteractiveLoad::End::answered);
  co_return std::string_view(piece_.get(), *count);
}

void RelayedCall::end(InteractiveLoad::End how) {
  if (!connection_) return;
  if (world_.relay.expired()) return connection_.reset();
  // The pool takes back only what was read to its end.
  target_->pool.give(std::move(connection_), world_.clock.steady_now());
  world_.load.end(target_->index, how);
  target_ = nullptr;
}

}  // namespace offpeak
