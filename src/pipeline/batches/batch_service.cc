#include "pipeline/batches/batch_service.h"

#include <fmt/format.h>

#include <utility>

#include "core/openai/ids.h"
#include "core/records/transitions.h"
#include "pipeline/files/file_reader.h"
#include "pipeline/finalize/finalize.h"
#include "platform/observe/log.h"

namespace offpeak {
namespace {

constexpr int kConflictRetries = 10;

std::vector<LineError> one_error(std::string code, std::string message, std::string param) {
  return {{.code = std::move(code), .message = std::move(message), .param = std::move(param)}};
}

}  // namespace

BatchService::BatchService(BatchWorld world, BatchLimits limits,
                           std::chrono::milliseconds discovery_patience)
    : world_(std::move(world)),
      limits_(std::move(limits)),
      discovery_patience_(discovery_patience) {}

Result<BatchRecord> BatchService::create(const ProjectId& project, CreateBatch request,
                                         const RequestMark& mark) {
  const UnixSeconds now = world_.clock.unix_now();
  BatchRecord batch{.id = make_batch_id(world_.random, now),
                    .project = project,
                    .input_file = std::move(request.input_file),
                    .endpoint = std::move(request.endpoint),
                    .completion_window = std::move(request.completion_window),
                    .created_at = now,
                    .expires_at = now + request.window,
                    .metadata = std::move(request.metadata),
                    .output_expires_after_s = request.output_expires_after_s};
  if (auto inserted = world_.meta.insert_batch(batch, mark); !inserted) {
    return std::unexpected(inserted.error());
  }
  start_intake(batch);
  return batch;
}

void BatchService::with_progress(BatchRecord& batch) const {
  if (is_terminal(batch.status)) return;
  const auto totals = world_.progress.totals(batch.id);
  if (!totals) return;
  batch.counts.completed = totals->completed;
  batch.counts.failed = totals->failed;
  batch.usage = totals->usage;
}

Result<BatchRecord> BatchService::get(const ProjectId& project, const BatchId& id) const {
  auto batch = world_.meta.batch(project, id);
  if (batch) with_progress(*batch);
  return batch;
}

Result<Page<BatchRecord>> BatchService::list(const ProjectId& project,
                                             const ListQuery& query) const {
  auto page = world_.meta.batches(project, query);
  if (!page) return page;
  for (BatchRecord& batch : page->data) with_progress(batch);
  return page;
}

Result<BatchRecord> BatchService::cancel(const ProjectId& project, const BatchId& id) {
  for (int i = 0;; ++i) {
    const auto current = world_.meta.batch(project, id);
    if (!current) return current;
    auto next = request_cancel(*current, world_.clock.unix_now());
    if (!next) return next;
    if (next->status != current->status) {
      next = world_.meta.update_batch(*next);
      if (!next && next.error().kind == ErrorKind::conflict && i < kConflictRetries) continue;
      if (!next) return next;
      dispatcher_->cancel(id);
      log::info("batches", "batch {} is being cancelled", id);
    }
    with_progress(*next);
    return next;
  }
}

void BatchService::start_intake(const BatchRecord& batch) {
  world_.intake.post([this, batch] { intake(batch); });
}

void BatchService::intake(const BatchRecord& batch) {
  const auto verdict = check_input(batch);
  if (verdict) return settle_intake(batch, *verdict);
  log::error("batches", "the input of batch {} cannot be checked, trying again: {}", batch.id,
             verdict.error().message);
  world_.intake.post_later(kIntakeRetry, [this, batch] { intake(batch); });
}

Result<IntakeVerdict> BatchService::check_input(const BatchRecord& batch) {
  const auto file = world_.meta.file(batch.project, batch.input_file);
  if (!file && file.error().kind != ErrorKind::not_found) return std::unexpected(file.error());
  if (!file) {
    return one_error(
        "invalid_request",
        fmt::format("Cannot find file {}, or organization {} does not have access to it.",
                    batch.input_file, batch.project),
        "file_id");
  }
  if (file->purpose != "batch") {
    return one_error("invalid_request",
                     fmt::format("File {} has the purpose '{}'; a batch needs a file that was "
                                 "uploaded with the purpose 'batch'.",
                                 file->id, file->purpose),
                     "file_id");
  }
  const auto input = FileReader::open(world_.blobs, file->content);
  if (!input) return std::unexpected(input.error());
  const ModelCheck check =
      [this, patience = discovery_patience_](std::string_view model) mutable -> Status {
    const auto route = world_.models.require(model, patience);
    if (route) return {};
    patience = {};  // what was not there in time is not waited for again, row by row
    return std::unexpected(route.error());
  };
  return run_intake(world_.blobs, world_.random, limits_.intake,
                    {batch.id, batch.endpoint, *input, check});
}

Status BatchService::finish(BatchRun& run) {
  // Whoever sees that the batch has ended can enqueue the next one.
  enqueued_.remove(run.record.id);
  const FinalizeWorld world{world_.blobs, world_.meta, world_.clock, world_.random};
  auto ended = finalize(world, run);
  if (ended) {
    const LedgerTotals totals = run.durable();
    log::info("batches", "batch {} has ended: {} completed, {} failed of {}", run.record.id,
              totals.completed, totals.failed, run.index.rows());
  }
  return ended;
}

}  // namespace offpeak
