// The part of BatchService that takes up what an earlier process left.
#include <unordered_set>
#include <utility>

#include "pipeline/batches/batch_service.h"
#include "pipeline/intake/row_index_reader.h"
#include "pipeline/results/recovery.h"
#include "platform/observe/log.h"

namespace offpeak {
namespace {

/// "batches/<id>/…" -> <id>
std::string_view batch_of(std::string_view key) {
  key.remove_prefix(key.find('/') + 1);
  return key.substr(0, key.find('/'));
}

bool is_scaffolding(std::string_view key) {
  return key.ends_with(".ledger") || key.ends_with("/index");
}

/// What is left of batches that have ended, because a crash came between the end and the clean-up:
/// row indexes, ledgers, and line files without lines.
Status sweep_scaffolding(BlobStore& blobs, const std::vector<BlobKey>& keys,
                         const std::unordered_set<std::string_view>& unfinished) {
  std::unordered_set<std::string_view> untidy;
  for (const BlobKey& key : keys) {
    const auto batch = batch_of(key.text());
    if (is_scaffolding(key.text()) && !unfinished.contains(batch)) untidy.insert(batch);
  }
  for (const BlobKey& key : keys) {
    if (!untidy.contains(batch_of(key.text()))) continue;
    if (!is_scaffolding(key.text())) {
      const auto lines = blobs.open(key);
      if (!lines) return std::unexpected(lines.error());
      if ((*lines)->size() > 0) continue;
    }
    if (auto removed = blobs.remove(key); !removed) return removed;
  }
  return {};
}

}  // namespace

Status BatchService::recover_progress() {
  const auto batches = world_.meta.unfinished_batches();
  if (!batches) return std::unexpected(batches.error());
  const auto keys = world_.blobs.list("batches/");
  if (!keys) return std::unexpected(keys.error());
  std::unordered_set<std::string_view> with_parts;
  for (const BlobKey& key : *keys) {
    if (key.text().ends_with(".ledger")) with_parts.insert(batch_of(key.text()));
  }
  std::unordered_set<std::string_view> unfinished;
  for (const BatchRecord& batch : *batches) {
    unfinished.insert(batch.id.text());
    restore_enqueued(batch);
    if (!with_parts.contains(batch.id.text())) continue;
    const auto recovered = recover_parts(world_.blobs, batch.id, [](const LedgerRecord&) {});
    if (!recovered) return std::unexpected(recovered.error());
    world_.progress.show(batch.id, recovered->totals, nullptr);
    log::info("batches", "batch {} is taken up: {} of {} rows were done", batch.id,
              recovered->totals.rows, batch.counts.total);
  }
  return sweep_scaffolding(world_.blobs, *keys, unfinished);
}

/// What a batch that has started enqueued, before the first new one is admitted.
void BatchService::restore_enqueued(const BatchRecord& batch) {
  if (!batch.in_progress_at) return;
  const auto index = RowIndexReader::open(world_.blobs, batch.id);
  if (!index) return;
  enqueued_.restore(batch.id, {batch.project, batch.model, index->trailer().prompt_tokens,
                               index->trailer().rows});
}

Status BatchService::resume() {
  const auto batches = world_.meta.unfinished_batches();
  if (!batches) return std::unexpected(batches.error());
  for (const BatchRecord& batch : *batches) {
    if (batch.status == BatchStatus::validating) {
      start_intake(batch);
    } else if (RowIndexReader::open(world_.blobs, batch.id)) {
      dispatcher_->add(batch);
    } else if (batch.status == BatchStatus::cancelling) {
      world_.intake.post([this, batch] { abandon_intake(batch); });
    } else {
      log::error("batches", "batch {} is {} but its row index is missing or damaged", batch.id,
                 to_string(batch.status));
    }
  }
  return {};
}

}  // namespace offpeak
