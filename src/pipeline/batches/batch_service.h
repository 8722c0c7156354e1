// A batch from create to end: records it, has its file checked, hands it to the dispatcher, closes
// it. Thread-safe. Calls that serve a user block for one metadata operation.
#pragma once

#include <chrono>
#include <functional>

#include "base/clock.h"
#include "base/error.h"
#include "base/random.h"
#include "core/openai/create_batch.h"
#include "core/records/batch.h"
#include "pipeline/batches/enqueued.h"
#include "pipeline/dispatch/dispatcher.h"
#include "pipeline/dispatch/progress.h"
#include "pipeline/intake/intake.h"
#include "pipeline/upstream/model_directory.h"
#include "platform/async/event_loop.h"
#include "platform/blob/blob_store.h"
#include "platform/meta/meta_store.h"

namespace offpeak {

/// What the service uses; everything outlives it.
struct BatchWorld {
  BlobStore& blobs;
  MetaStore& meta;
  const Clock& clock;
  Random& random;
  const ModelDirectory& models;
  ProgressBoard& progress;
  Workers& intake;  // threads that may be busy with one file for a while
  WorkerId worker;
};

struct BatchLimits {
  IntakeLimits intake;
  EnqueuedLimits enqueued;
};

class BatchService {
 public:
  /// `discovery_patience`: how long intake waits for an upstream that has not named its models yet.
  BatchService(BatchWorld world, BatchLimits limits, std::chrono::milliseconds discovery_patience);

  /// Must be called once before anything else; the two know each other.
  void connect(Dispatcher& dispatcher) { dispatcher_ = &dispatcher; }

  Result<BatchRecord> create(const ProjectId& project, CreateBatch request,
                             const RequestMark& mark = {});
  /// As stored, with what the journal has made durable since.
  Result<BatchRecord> get(const ProjectId& project, const BatchId& id) const;
  Result<Page<BatchRecord>> list(const ProjectId& project, const ListQuery& query) const;
  Result<BatchRecord> cancel(const ProjectId& project, const BatchId& id);

  /// Before the server accepts connections: shows what unfinished batches had already shown.
  Status recover_progress();
  /// Takes up every unfinished batch where it was left. After recover_progress().
  Status resume();

  /// For the dispatcher: closes a batch whose run has ended.
  Status finish(BatchRun& run);

 private:
  void start_intake(const BatchRecord& batch);
  void intake(const BatchRecord& batch);
  Result<IntakeVerdict> check_input(const BatchRecord& batch);
  void settle_intake(const BatchRecord& batch, const IntakeVerdict& verdict);
  void settle_later(const BatchRecord& batch, const IntakeVerdict& verdict, const Error& why);
  BatchRecord judged(const BatchRecord& batch, const IntakeVerdict& verdict);
  BatchRecord admitted(const BatchRecord& batch, const IntakeSummary& summary);
  void abandon_intake(const BatchRecord& batch);
  void restore_enqueued(const BatchRecord& batch);
  void with_progress(BatchRecord& batch) const;

  BatchWorld world_;
  BatchLimits limits_;
  EnqueuedBook enqueued_;
  std::chrono::milliseconds discovery_patience_;
  Dispatcher* dispatcher_ = nullptr;

  static constexpr auto kIntakeRetry = std::chrono::seconds(1);
};

}  // namespace offpeak
