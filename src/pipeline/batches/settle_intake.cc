// The part of BatchService that says what becomes of a batch whose input has been checked.
#include <utility>

#include "core/records/transitions.h"
#include "pipeline/batches/batch_service.h"
#include "pipeline/finalize/finalize.h"
#include "pipeline/results/part.h"
#include "platform/observe/log.h"

namespace offpeak {

void BatchService::settle_intake(const BatchRecord& batch, const IntakeVerdict& verdict) {
  const auto current = world_.meta.batch(batch.project, batch.id);
  if (!current) return settle_later(batch, verdict, current.error());
  if (current->status != BatchStatus::validating) return abandon_intake(*current);
  const auto stored = world_.meta.update_batch(judged(*current, verdict));
  if (!stored && stored.error().kind == ErrorKind::conflict) return settle_intake(batch, verdict);
  if (!stored) return settle_later(batch, verdict, stored.error());
  if (stored->status == BatchStatus::failed) {
    log::info("batches", "batch {} failed: {} {}", batch.id, stored->errors.front().code,
              stored->errors.front().message);
    static_cast<void>(world_.blobs.remove(index_key(batch.id)));
    return;
  }
  log::info("batches", "batch {} starts: {} rows for {}", batch.id, stored->counts.total,
            stored->model);
  dispatcher_->add(*stored);
  // A cancel between the two steps found nothing to cancel.
  const auto now = world_.meta.batch(batch.project, batch.id);
  if (now && now->status == BatchStatus::cancelling) dispatcher_->cancel(batch.id);
}

void BatchService::settle_later(const BatchRecord& batch, const IntakeVerdict& verdict,
                                const Error& why) {
  log::error("batches", "batch {} cannot be taken on, trying again: {}", batch.id, why.message);
  world_.intake.post_later(kIntakeRetry, [this, batch, verdict] { settle_intake(batch, verdict); });
}

BatchRecord BatchService::judged(const BatchRecord& batch, const IntakeVerdict& verdict) {
  if (const auto* const summary = std::get_if<IntakeSummary>(&verdict)) {
    return admitted(batch, *summary);
  }
  return failed(batch, std::get<std::vector<LineError>>(verdict), world_.clock.unix_now());
}

/// Started, or failed because too much is enqueued for its model.
BatchRecord BatchService::admitted(const BatchRecord& batch, const IntakeSummary& summary) {
  const auto route = world_.models.route(summary.requested_model);
  const std::string model = route ? route->served_model : summary.requested_model;
  const Enqueued enqueued{batch.project, model, summary.prompt_tokens, summary.rows};
  if (auto over = enqueued_.add(batch.id, enqueued, summary.requested_model,
                                limits_.enqueued.of(summary.requested_model, model))) {
    return failed(batch, {std::move(*over)}, world_.clock.unix_now());
  }
  if (route && route->stand_in) {
    log::info("batches", "batch {} asks for model '{}', which nobody serves; '{}' runs it",
              batch.id, summary.requested_model, model);
  }
  return started(batch, summary.rows, model, world_.clock.unix_now());
}

/// The user cancelled while the file was being checked: nothing has run, nothing is written.
void BatchService::abandon_intake(const BatchRecord& batch) {
  enqueued_.remove(batch.id);
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

}  // namespace offpeak
