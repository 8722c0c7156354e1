#include "pipeline/results/part.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "base/hash.h"

namespace offpeak {

std::string batch_prefix(const BatchId& batch) {
  return fmt::format("batches/{}/", batch);
}

BlobKey index_key(const BatchId& batch) {
  return BlobKey(batch_prefix(batch) + "index");
}

BlobKey part_key(const BatchId& batch, std::uint64_t epoch, std::string_view file) {
  return BlobKey(fmt::format("{}{}.{}", batch_prefix(batch), epoch, file));
}

Result<std::unique_ptr<Part>> Part::create(BlobStore& blobs, const BatchId& batch,
                                           std::uint64_t epoch) {
  std::unique_ptr<Part> part(new Part);
  part->output_.key = part_key(batch, epoch, "output");
  part->errors_.key = part_key(batch, epoch, "errors");
  for (LineFile* file : {&part->output_, &part->errors_}) {
    auto blob = blobs.open_append(file->key);
    if (!blob) return std::unexpected(blob.error());
    file->blob = std::move(*blob);
  }
  auto ledger = blobs.open_append(part_key(batch, epoch, "ledger"));
  if (!ledger) return std::unexpected(ledger.error());
  part->ledger_ = std::move(*ledger);
  std::array<char, kLedgerHeaderBytes> header;
  encode(LedgerHeader{hash64(batch.text(), 0), epoch}, header);
  if (auto written = part->ledger_->append({header.data(), header.size()}); !written) {
    return std::unexpected(written.error());
  }
  return part;
}

void Part::append(LedgerRecord record, std::string_view line) {
  LineFile& file = line_file(record.file);
  record.offset = file.next_offset;
  record.length = static_cast<std::uint32_t>(line.size());
  record.line_checksum = checksum32(line);
  file.buffer += line;
  file.next_offset += line.size();
  pending_.push_back(record);
}

Status Part::flush_lines(LineFile& file) {
  if (file.buffer.empty()) return {};
  if (auto written = file.blob->append(file.buffer); !written) return written;
  file.buffer.clear();
  return {};
}

Status Part::flush() {
  for (LineFile* file : {&output_, &errors_}) {
    if (auto written = flush_lines(*file); !written) return written;
  }
  if (pending_.empty()) return {};
  std::uint64_t generation = 0;
  {
    const std::lock_guard lock(mutex_);
    generation = generation_;
  }
  ledger_buffer_.resize(pending_.size() * kLedgerRecordBytes);
  char* at = ledger_buffer_.data();
  for (LedgerRecord& record : pending_) {
    record.generation = generation;
    encode(record, std::span<char, kLedgerRecordBytes>(at, kLedgerRecordBytes));
    at += kLedgerRecordBytes;
  }
  if (auto written = ledger_->append(ledger_buffer_); !written) return written;
  for (const LedgerRecord& record : pending_) written_.add(record);
  pending_.clear();
  const std::lock_guard lock(mutex_);
  flushed_ = written_;
  return {};
}

Status Part::sync() {
  // One at a time: were two to overlap, the later one could count as durable what neither covers.
  const std::lock_guard one_at_a_time(sync_mutex_);
  LedgerTotals covered;
  {
    const std::lock_guard lock(mutex_);
    covered = flushed_;
  }
  for (AppendBlob* blob : {output_.blob.get(), errors_.blob.get(), ledger_.get()}) {
    if (auto synced = blob->sync(); !synced) return synced;
  }
  const std::lock_guard lock(mutex_);
  durable_ = covered;
  ++generation_;
  return {};
}

LedgerTotals Part::durable() const {
  const std::lock_guard lock(mutex_);
  return durable_;
}

std::vector<Extent> Part::extents(ResultFile file) const {
  const LineFile& lines = file == ResultFile::output ? output_ : errors_;
  if (lines.blob->size() == 0) return {};
  return {{lines.key, lines.blob->size()}};
}

}  // namespace offpeak
