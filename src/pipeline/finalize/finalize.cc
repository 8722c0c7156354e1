#include "pipeline/finalize/finalize.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "core/batch/result_line.h"
#include "core/openai/ids.h"
#include "core/records/transitions.h"

namespace offpeak {
namespace {

constexpr std::size_t kFlushBytes = 1u << 20;
constexpr auto kResultLife = std::chrono::days(30);
constexpr int kConflictRetries = 10;

/// Rows that never ran go to the error file, in the order of the input.
Status write_unrun_rows(BatchRun& run) {
  const bool expired = run.ending == Ending::expired;
  RowRequest request;
  std::string line;
  for (std::uint32_t row = 0; row < run.done.size(); ++row) {
    if (run.done[row]) continue;
    if (auto read = run.read_row(row, request); !read) return read;
    line.clear();
    append_error_line(line, RowName(run.name_seed, row), request.custom_id,
                      expired ? kBatchExpired : kBatchCancelled,
                      expired ? kBatchExpiredMessage : kBatchCancelledMessage);
    run.finish_row({.row = row,
                    .file = ResultFile::errors,
                    .fate = expired ? RowFate::expired : RowFate::cancelled},
                   line);
    if (run.part->unwritten_bytes() < kFlushBytes) continue;
    if (auto flushed = run.part->flush(); !flushed) return flushed;
  }
  return {};
}

std::optional<FileRecord> result_file(const FinalizeWorld& world, const BatchRun& run,
                                      ResultFile which) {
  FileRecord file{.project = run.record.project,
                  .created_at = world.clock.unix_now(),
                  .purpose = "batch_output"};
  const bool output = which == ResultFile::output;
  file.content = output ? run.recovered.output : run.recovered.errors;
  for (Extent& extent : run.part->extents(which)) file.content.push_back(std::move(extent));
  for (const Extent& extent : file.content) file.bytes += extent.bytes;
  if (file.bytes == 0) return std::nullopt;
  file.id = make_file_id(world.random);
  file.filename = fmt::format("{}_{}.jsonl", run.record.id, output ? "output" : "error");
  const auto life = run.record.output_expires_after_s
                        ? std::chrono::seconds(*run.record.output_expires_after_s)
                        : std::chrono::seconds(kResultLife);
  file.expires_at = file.created_at + life;
  return file;
}

BatchRecord closed(const BatchRecord& batch, Ending ending, const BatchResults& results,
                   UnixSeconds now) {
  if (batch.status == BatchStatus::cancelling) return cancelled(batch, results, now);
  if (ending == Ending::expired) return expired(batch, results, now);
  if (batch.status == BatchStatus::finalizing) return completed(batch, results, now);
  return completed(finalizing(batch, now), results, now);
}

/// Commits the end of the batch, whatever its record says by now (a cancel may have come
/// meanwhile).
Status commit_end(const FinalizeWorld& world, const BatchRecord& known, Ending ending,
                  const Lease& lease, const BatchResults& results,
                  std::span<const FileRecord> files) {
  Status outcome;
  for (int i = 0; i < kConflictRetries; ++i) {
    const auto current = world.meta.batch(known.project, known.id);
    if (!current) return std::unexpected(current.error());
    if (is_terminal(current->status)) return {};
    const auto next = closed(*current, ending, results, world.clock.unix_now());
    const auto stored = world.meta.finish_batch(next, files, lease);
    if (stored) return {};
    outcome = std::unexpected(stored.error());
    if (stored.error().kind != ErrorKind::conflict) return outcome;
  }
  return outcome;
}

/// Everything of the batch but the lines that became its result files. What a crash leaves behind
/// the next start sweeps.
void remove_scaffolding(const FinalizeWorld& world, const BatchId& batch,
                        std::span<const FileRecord> files) {
  const auto keys = world.blobs.list(batch_prefix(batch));
  if (!keys) return;
  for (const BlobKey& key : *keys) {
    const bool kept = std::ranges::any_of(files, [&](const FileRecord& file) {
      return std::ranges::find(file.content, key, &Extent::blob) != file.content.end();
    });
    if (!kept) static_cast<void>(world.blobs.remove(key));
  }
}

}  // namespace

Status finalize(FinalizeWorld world, BatchRun& run) {
  if (run.ending != Ending::completed) {
    if (auto written = write_unrun_rows(run); !written) return written;
  }
  if (auto flushed = run.part->flush(); !flushed) return flushed;
  if (auto synced = run.part->sync(); !synced) return synced;
  const LedgerTotals totals = run.durable();
  std::vector<FileRecord> files;
  BatchResults results{.counts = {run.index.rows(), totals.completed, totals.failed},
                       .usage = totals.usage};
  for (auto [which, id] : {std::pair(ResultFile::output, &results.output_file),
                           std::pair(ResultFile::errors, &results.error_file)}) {
    auto file = result_file(world, run, which);
    if (!file) continue;
    *id = file->id;
    files.push_back(std::move(*file));
  }
  const auto ended = commit_end(world, run.record, run.ending, run.lease, results, files);
  if (ended) remove_scaffolding(world, run.record.id, files);
  return ended;
}

Status finalize_without_rows(FinalizeWorld world, const BatchRecord& batch,
                             const WorkerId& worker) {
  const auto lease =
      world.meta.acquire_lease(batch.id, worker, 0, world.clock.unix_now(), kLeaseLife);
  if (!lease) return std::unexpected(lease.error());
  return commit_end(world, batch, Ending::cancelled, *lease, {}, {});
}

}  // namespace offpeak
