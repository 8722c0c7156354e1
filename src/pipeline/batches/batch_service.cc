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
constexpr auto kIntakeRetry = std::chrono::seconds(1);

std::vector<LineError> one_error(std::string code, std::string message, std::string param) {
  return {{.code = std::move(code), .message = std::move(message), .param = std::move(param)}};
}

}  // namespace

BatchService::BatchService(BatchWorld world, const IntakeLimits& limits,
                           std::chrono::milliseconds discovery_patience)
    : world_(std::move(world)), limits_(limits), discovery_patience_(discovery_patience) {}

Result<BatchRecord> BatchService::create(const ProjectId& project, CreateBatch request) {
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
  if (auto inserted = world_.meta.insert_batch(batch); !inserted) {
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
  const ModelCheck check = [this](std::string_view model) -> Status {
    const auto route = world_.models.require(model, discovery_patience_);
    if (!route) return std::unexpected(route.error());
    return {};
  };
  return run_intake(world_.blobs, world_.random, limits_,
                    {batch.id, batch.endpoint, *input, check});
}

void BatchService::settle_intake(const BatchRecord& batch, const IntakeVerdict& verdict) {
  const auto current = world_.meta.batch(batch.project, batch.id);
  if (!current) {
    log::error("batches", "batch {} cannot be read, trying again: {}", batch.id,
               current.error().message);
    world_.intake.post_later(kIntakeRetry,
                             [this, batch, verdict] { settle_intake(batch, verdict); });
    return;
  }
  if (current->status != BatchStatus::validating) return abandon_intake(*current);
  const UnixSeconds now = world_.clock.unix_now();
  BatchRecord next;
  if (const auto* const errors = std::get_if<std::vector<LineError>>(&verdict)) {
    next = failed(*current, *errors, now);
    log::info("batches", "batch {} failed: {} {}", batch.id, errors->front().code,
              errors->front().message);
  } else {
    const auto& summary = std::get<IntakeSummary>(verdict);
    const auto route = world_.models.route(summary.requested_model);
    const std::string model = route ? route->served_model : summary.requested_model;
    if (route && route->stand_in) {
      log::info("batches", "batch {} asks for model '{}', which nobody serves; '{}' runs it",
                batch.id, summary.requested_model, model);
    }
    next = started(*current, summary.rows, model, now);
    log::info("batches", "batch {} starts: {} rows for {}", batch.id, summary.rows, model);
  }
  const auto stored = world_.meta.update_batch(next);
  if (!stored && stored.error().kind == ErrorKind::conflict) return settle_intake(batch, verdict);
  if (!stored) {
    log::error("batches", "batch {} cannot be updated, trying again: {}", batch.id,
               stored.error().message);
    world_.intake.post_later(kIntakeRetry,
                             [this, batch, verdict] { settle_intake(batch, verdict); });
    return;
  }
  if (!is_terminal(stored->status)) dispatcher_->add(*stored);
}

/// The user cancelled while the file was being checked: nothing has run, nothing is written.
void BatchService::abandon_intake(const BatchRecord& batch) {
  if (batch.status != BatchStatus::cancelling) return;
  const FinalizeWorld world{world_.blobs, world_.meta, world_.clock, world_.random};
  const auto ended = finalize_without_rows(world, batch, world_.worker);
  if (ended) {
    static_cast<void>(world_.blobs.remove(index_key(batch.id)));
    return;
  }
  log::error("batches", "batch {} cannot be closed, trying again: {}", batch.id,
             ended.error().message);
  world_.intake.post_later(kIntakeRetry, [this, batch] { abandon_intake(batch); });
}

Status BatchService::finish(BatchRun& run) {
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
