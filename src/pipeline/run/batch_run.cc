#include "pipeline/run/batch_run.h"

#include <algorithm>
#include <utility>

#include "base/hash.h"
#include "core/jsonl/json_text.h"

namespace offpeak {

Result<std::unique_ptr<BatchRun>> BatchRun::open(BlobStore& blobs, MetaStore& meta,
                                                 const BatchRecord& record, const WorkerId& worker,
                                                 UnixSeconds now) {
  auto run = std::make_unique<BatchRun>();
  run->record = record;
  run->name_seed = hash64(record.id.text(), 0);
  auto index = RowIndexReader::open(blobs, record.id);
  if (!index) return std::unexpected(index.error());
  run->index = std::move(*index);
  auto order = run->index.order();
  if (!order) return std::unexpected(order.error());
  run->order = std::move(*order);
  const auto file = meta.batch_input(record);
  if (!file) return std::unexpected(file.error());
  auto input = FileReader::open(blobs, file->content);
  if (!input) return std::unexpected(input.error());
  run->input = std::move(*input);
  RowRequest first;
  if (auto read = run->read_row(0, first); !read) return std::unexpected(read.error());
  if (!first.model.empty()) run->requested_model = decode_json_string(first.model).value_or("");
  auto lease = meta.acquire_lease(record.id, worker, run->index.rows(), now, kLeaseLife);
  if (!lease) return std::unexpected(lease.error());
  run->lease = std::move(*lease);
  run->done.assign(run->index.rows(), false);
  auto recovered = recover_parts(blobs, record.id, [&](const LedgerRecord& row) {
    if (row.row < run->done.size()) run->done[row.row] = true;
  });
  if (!recovered) return std::unexpected(recovered.error());
  run->recovered = std::move(*recovered);
  run->rows_left = static_cast<std::uint32_t>(std::ranges::count(run->done, false));
  auto part = Part::create(blobs, record.id, run->lease.epoch);
  if (!part) return std::unexpected(part.error());
  run->part = std::move(*part);
  return run;
}

Status BatchRun::read_row(std::uint32_t row, RowRequest& request) const {
  const auto entry = index.entry(row);
  if (!entry) return std::unexpected(entry.error());
  request.row = row;
  request.line.resize(entry->length);
  const auto count = input.read_at(entry->offset, request.line);
  if (!count) return std::unexpected(count.error());
  if (*count != entry->length) {
    return fail(ErrorKind::internal, "The input file is shorter than its row index says.");
  }
  request.custom_id = entry->parts.custom_id.of(request.line);
  request.body = entry->parts.body.of(request.line);
  request.model = entry->parts.model.of(request.line);
  return {};
}

void BatchRun::finish_row(const LedgerRecord& ledger, std::string_view line) {
  part->append(ledger, line);
  done[ledger.row] = true;
}

std::vector<PositionRange> BatchRun::remaining() const {
  std::vector<PositionRange> ranges;
  for (std::uint32_t position = 0; position < order.size(); ++position) {
    if (done[order[position]]) continue;
    if (!ranges.empty() && ranges.back().last == position) {
      ++ranges.back().last;
    } else {
      ranges.push_back({position, position + 1});
    }
  }
  return ranges;
}

std::uint32_t BatchRun::tokens_per_row() const {
  const auto& trailer = index.trailer();
  return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(
      trailer.prompt_tokens / std::max<std::uint64_t>(1, trailer.rows), 1, 1'000'000));
}

LedgerTotals BatchRun::durable() const {
  LedgerTotals totals = recovered.totals;
  totals += part->durable();
  return totals;
}

}  // namespace offpeak
