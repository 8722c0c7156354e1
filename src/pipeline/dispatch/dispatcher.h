// Runs batches: joins the planner, the upstreams' slots and the result journal on one loop.
//
// A slot takes a row from the planner, sends it, and is given back when the row's result has been
// written to the operating system; results of one turn of the loop are written together. What is
// hard to decide (which row, retry or not, how long to wait) is decided by core; here it is only
// done.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "core/batch/answer.h"
#include "core/batch/outcome.h"
#include "core/pace/backoff.h"
#include "core/schedule/planner.h"
#include "pipeline/dispatch/progress.h"
#include "pipeline/dispatch/upstream_slots.h"
#include "pipeline/dispatch/waiting_batches.h"
#include "pipeline/results/journal_sync.h"
#include "pipeline/run/batch_run.h"
#include "pipeline/upstream/interactive_load.h"
#include "pipeline/upstream/model_directory.h"
#include "platform/async/event_loop.h"
#include "platform/async/wait_list.h"
#include "platform/blob/blob_store.h"
#include "platform/meta/meta_store.h"

namespace offpeak {

struct DispatchPolicy {
  BackoffPolicy backoff;
  /// How long a row waits for an upstream that has been reached before, or never.
  std::chrono::milliseconds unreachable_timeout = std::chrono::minutes(30);
  std::chrono::milliseconds never_reached_timeout = std::chrono::seconds(60);
  std::size_t open_batches_max = 64;
};

/// What a dispatcher uses; everything outlives it.
struct DispatchWorld {
  EventLoop& loop;
  Workers& workers;
  BlobStore& blobs;
  MetaStore& meta;
  const Clock& clock;
  Random& random;
  const ModelDirectory& models;
  JournalSync& sync;
  ProgressBoard& progress;
  WorkerId worker;
  /// Synchronous calls to the same upstreams, which take their slots first; null if there are none.
  const InteractiveLoad* interactive = nullptr;
};

class Dispatcher {
 public:
  struct Callbacks {
    /// Closes a batch whose run has ended; called on a worker, and again later after any error but
    /// conflict.
    std::function<Status(BatchRun&)> finish;
    /// The journal can no longer be trusted: stop the process.
    std::function<void(const Error&)> fatal;
  };

  Dispatcher(DispatchWorld world, const DispatchPolicy& policy,
             const std::vector<UpstreamSettings>& upstreams, const http::ClientContext& client,
             Callbacks callbacks);
  ~Dispatcher();
  Dispatcher(const Dispatcher&) = delete;

  /// Any thread. The batch is in_progress or cancelling and has its row index.
  void add(BatchRecord batch);
  /// Any thread. Ends the batch once what is in flight has come back; unknown batches are ignored.
  void cancel(const BatchId& batch);
  /// Any thread. Takes no more rows; `done` runs on the loop when nothing is in flight any more, or
  /// at `deadline` after breaking off what is.
  void drain(SteadyTime deadline, std::function<void()> done);

  /// Retries that are due, windows that close, leases to renew; the loop calls it every kTick.
  void tick();
  static constexpr auto kTick = std::chrono::milliseconds(20);

 private:
  using RunPtr = std::shared_ptr<BatchRun>;  // shared by the map and the rows under way

  Task<> tick_for_ever();
  void open_next();
  void open(BatchRecord batch);
  Result<std::unique_ptr<BatchRun>> open_run(const BatchRecord& batch);
  void opened(BatchRecord batch, Result<std::unique_ptr<BatchRun>> run);
  void end(BatchTicket ticket, Ending ending);
  void end_if_idle(BatchTicket ticket, BatchRun& run);
  void finish(RunPtr run);
  Task<> finish_later(RunPtr run);
  void check_windows();
  void update_routes();
  void renew_leases();
  BatchTicket ticket_of(const BatchId& batch) const;

  void fill_slots();
  /// Slots that synchronous calls leave to batches.
  std::uint32_t slots_for_batches(const UpstreamSlots& upstream) const;
  /// The row counts as in flight from here on.
  std::optional<PlannedRow> take_row(UpstreamSlots& upstream);
  Task<> run_slot(UpstreamSlots& upstream, Slot& slot, PlannedRow first);
  Task<> run_row(UpstreamSlots& upstream, Slot& slot, PlannedRow row);
  Task<Attempt> send(UpstreamSlots& upstream, Slot& slot, const BatchRun& run,
                     const RowRequest& request, std::uint32_t attempt);
  /// True if the row is done: its line is buffered and waits for flush().
  bool settle(UpstreamSlots& upstream, const RunPtr& run, PlannedRow row, const RowRequest& request,
              Attempt attempt);
  bool settle_trouble(UpstreamSlots& upstream, BatchRun& run, PlannedRow row,
                      const RowRequest& request, RetryLater trouble, bool json_valid);
  bool wait_for_upstream(UpstreamSlots& upstream, const BatchRun& run, PlannedRow row,
                         RowTrouble& trouble);
  void record_answer(BatchRun& run, const RowRequest& request, const Answered& answer,
                     const AnswerFacts& facts, std::uint32_t attempts);
  void record_error(BatchRun& run, const RowRequest& request, std::string_view code,
                    std::string_view message, std::uint32_t attempts);

  /// Suspends until what the caller buffered has been handed to the operating system.
  Task<> written();
  void flush();

  DispatchWorld world_;
  DispatchPolicy policy_;
  Callbacks callbacks_;
  std::vector<std::unique_ptr<UpstreamSlots>> upstreams_;
  Planner planner_;
  WaitingBatches waiting_;
  std::map<BatchTicket, RunPtr> runs_;
  std::size_t open_ = 0;  // batches being opened, running or being finished
  std::uint64_t next_ticket_ = 1;
  AnswerReader answers_;
  WaitList waiting_for_flush_;
  std::map<BatchId, bool> opening_;  // being opened on a worker; whether to cancel it then
  bool flush_posted_ = false;
  bool disk_full_ = false;
  bool stopping_ = false;
  SteadyTime drain_deadline_{};
  std::function<void()> drained_;
  SteadyTime next_window_check_{};
  SteadyTime next_renewal_{};
  SteadyTime next_flush_{};
};

}  // namespace offpeak
