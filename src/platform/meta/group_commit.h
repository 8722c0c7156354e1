// Concurrent writers share one transaction and its fsync. The first to arrive leads: it runs every
// mutation that has queued up meanwhile, commits once and wakes the others. No thread of its own.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <vector>

#include "base/error.h"
#include "platform/meta/sqlite.h"

namespace offpeak {

/// Runs inside an open transaction, perhaps on another caller's thread. When it fails, what it
/// changed is undone and the mutations beside it still go through.
using Mutation = std::function<Status(sqlite::Connection&)>;

class GroupCommit {
 public:
  explicit GroupCommit(sqlite::Connection& writer) : writer_(writer) {}
  GroupCommit(const GroupCommit&) = delete;
  GroupCommit& operator=(const GroupCommit&) = delete;

  /// Returns when the mutation is durable or has failed. Once the disk has failed, every call
  /// fails.
  Status run(const Mutation& mutation);
  Status check() const;
  /// Writers queued behind the leader.
  std::size_t waiting() const;

 private:
  struct Waiter {
    const Mutation& mutation;
    std::condition_variable woken = {};
    Status result = {};
    bool done = false;
    bool leads = false;
  };
  using Group = std::vector<Waiter*>;

  void commit(const Group& group);
  Status run_all(const Group& group);
  Status run_one(Waiter& waiter, bool alone);

  sqlite::Connection& writer_;  // belongs to the leader
  mutable std::mutex mutex_;    // guards what follows
  Group queue_;
  bool led_ = false;
  std::optional<Error> broken_;
};

}  // namespace offpeak
