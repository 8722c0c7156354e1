#include "platform/meta/group_commit.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <utility>

namespace offpeak {
namespace {

constexpr std::size_t kGroupMax = 256;  // bounds how long the first of a group waits for the last

Status guarded(const Mutation& mutation, sqlite::Connection& writer) {
  try {
    return mutation(writer);
  } catch (const std::exception& bug) {
    return fail(ErrorKind::internal, fmt::format("a metadata write threw: {}", bug.what()));
  }
}

}  // namespace

Status GroupCommit::run(const Mutation& mutation) {
  Waiter self{mutation};
  std::unique_lock lock(mutex_);
  queue_.push_back(&self);
  if (led_) {
    self.woken.wait(lock, [&] { return self.done || self.leads; });
    if (self.done) return self.result;
  }
  led_ = true;
  Group group;
  const auto end = queue_.begin() + static_cast<std::ptrdiff_t>(std::min(queue_.size(), kGroupMax));
  group.assign(queue_.begin(), end);
  queue_.erase(queue_.begin(), end);

  lock.unlock();
  commit(group);
  lock.lock();

  broken_ = writer_.broken();
  for (Waiter* const waiter : group) {
    waiter->done = true;
    if (waiter != &self) waiter->woken.notify_one();
  }
  led_ = !queue_.empty();
  if (led_) {
    queue_.front()->leads = true;
    queue_.front()->woken.notify_one();
  }
  return self.result;
}

Status GroupCommit::check() const {
  const std::scoped_lock lock(mutex_);
  if (broken_) return std::unexpected(*broken_);
  return {};
}

std::size_t GroupCommit::waiting() const {
  const std::scoped_lock lock(mutex_);
  return queue_.size();
}

void GroupCommit::commit(const Group& group) {
  const Status committed = run_all(group);
  if (committed) return;
  if (writer_.in_transaction()) static_cast<void>(writer_.exec("ROLLBACK"));
  // Whatever a mutation found out, it may have seen it in a neighbour's changes that are gone now.
  for (Waiter* const waiter : group) waiter->result = committed;
}

Status GroupCommit::run_all(const Group& group) {
  if (writer_.broken()) return std::unexpected(*writer_.broken());
  if (auto begun = writer_.query("BEGIN IMMEDIATE").run(); !begun) {
    return std::unexpected(begun.error());
  }
  bool any_change = false;
  for (Waiter* const waiter : group) {
    if (auto going_on = run_one(*waiter, group.size() == 1); !going_on) return going_on;
    any_change |= waiter->result.has_value();
  }
  auto ended = writer_.query(any_change ? "COMMIT" : "ROLLBACK").run();
  if (!ended) return std::unexpected(ended.error());
  return {};
}

/// An error here means that the whole transaction is lost.
Status GroupCommit::run_one(Waiter& waiter, bool alone) {
  // A failed mutation without neighbours takes the transaction with it, so it needs no savepoint.
  if (!alone) {
    if (auto begun = writer_.query("SAVEPOINT one").run(); !begun) {
      return std::unexpected(begun.error());
    }
  }
  waiter.result = guarded(waiter.mutation, writer_);
  if (!waiter.result && !writer_.in_transaction()) return waiter.result;
  if (alone) return {};
  if (!waiter.result) {
    if (auto undone = writer_.query("ROLLBACK TO one").run(); !undone) {
      return std::unexpected(undone.error());
    }
  }
  auto ended = writer_.query("RELEASE one").run();
  if (!ended) return std::unexpected(ended.error());
  return {};
}

}  // namespace offpeak
