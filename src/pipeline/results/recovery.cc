#include "pipeline/results/recovery.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "base/hash.h"
#include "pipeline/results/part.h"

namespace offpeak {
namespace {

constexpr std::size_t kChunkBytes = 1024 * kLedgerRecordBytes;

/// The epochs that have a part, from keys such as "batches/<id>/<epoch>.ledger".
Result<std::set<std::uint64_t>> epochs_of(BlobStore& blobs, const BatchId& batch) {
  const std::string prefix = batch_prefix(batch);
  const auto keys = blobs.list(prefix);
  if (!keys) return std::unexpected(keys.error());
  std::set<std::uint64_t> epochs;
  for (const BlobKey& key : *keys) {
    const std::string_view rest = std::string_view(key.text()).substr(prefix.size());
    std::uint64_t epoch = 0;
    const auto parsed = std::from_chars(rest.data(), rest.data() + rest.size(), epoch);
    if (parsed.ec == std::errc() && rest.substr(parsed.ptr - rest.data()).starts_with('.')) {
      epochs.insert(epoch);
    }
  }
  return epochs;
}

class PartRecovery {
 public:
  PartRecovery(BlobStore& blobs, const BatchId& batch, std::uint64_t epoch)
      : blobs_(blobs), batch_(batch), epoch_(epoch) {}

  Result<std::vector<LedgerRecord>> run();
  std::uint64_t bytes(ResultFile file) const { return ends_[static_cast<std::size_t>(file)]; }
  Status remove();

 private:
  Status open();
  Status read_ledger();
  Result<bool> line_is_whole(const LedgerRecord& record);
  Status verify_tail();
  Status cut();
  AppendBlob& lines(ResultFile file) { return file == ResultFile::output ? *output_ : *errors_; }

  BlobStore& blobs_;
  const BatchId& batch_;
  std::uint64_t epoch_;
  std::unique_ptr<AppendBlob> ledger_;
  std::unique_ptr<AppendBlob> output_;
  std::unique_ptr<AppendBlob> errors_;
  std::vector<LedgerRecord> records_;
  std::uint64_t ends_[2] = {0, 0};
};

Status PartRecovery::open() {
  for (auto [name, blob] : {std::pair("ledger", &ledger_), std::pair("output", &output_),
                            std::pair("errors", &errors_)}) {
    auto opened = blobs_.open_append(part_key(batch_, epoch_, name));
    if (!opened) return std::unexpected(opened.error());
    *blob = std::move(*opened);
  }
  return {};
}

Status PartRecovery::read_ledger() {
  std::string chunk(kChunkBytes, '\0');
  bool header = true;
  for (std::uint64_t offset = 0;;) {
    const auto count = ledger_->read_at(offset, chunk);
    if (!count) return std::unexpected(count.error());
    for (std::size_t at = 0; at + kLedgerRecordBytes <= *count; at += kLedgerRecordBytes) {
      const std::span<const char, kLedgerRecordBytes> bytes(chunk.data() + at, kLedgerRecordBytes);
      if (std::exchange(header, false)) {
        const LedgerHeader expected{hash64(batch_.text(), 0), epoch_};
        if (decode_ledger_header(bytes) != expected) return {};
        continue;
      }
      const auto record = decode_ledger_record(bytes);
      if (!record) return {};
      records_.push_back(*record);
    }
    if (*count < chunk.size()) return {};
    offset += *count;
  }
}

Result<bool> PartRecovery::line_is_whole(const LedgerRecord& record) {
  AppendBlob& blob = lines(record.file);
  if (record.offset + record.length > blob.size()) return false;
  std::string line(record.length, '\0');
  const auto count = blob.read_at(record.offset, line);
  if (!count) return std::unexpected(count.error());
  return *count == line.size() && checksum32(line) == record.line_checksum;
}

Status PartRecovery::verify_tail() {
  if (records_.empty()) return {};
  const std::uint64_t newest = records_.back().generation;
  auto doubtful = std::ranges::partition_point(
      records_, [&](const LedgerRecord& record) { return record.generation + 2 <= newest; });
  for (; doubtful != records_.end(); ++doubtful) {
    const auto whole = line_is_whole(*doubtful);
    if (!whole) return std::unexpected(whole.error());
    if (*whole) continue;
    records_.erase(doubtful, records_.end());
    break;
  }
  return {};
}

Status PartRecovery::cut() {
  for (const LedgerRecord& record : records_) {
    auto& end = ends_[static_cast<std::size_t>(record.file)];
    end = std::max(end, record.offset + record.length);
  }
  const std::uint64_t ledger_end = (records_.size() + 1) * kLedgerRecordBytes;
  for (auto [blob, end] : {std::pair(ledger_.get(), ledger_end), std::pair(output_.get(), ends_[0]),
                           std::pair(errors_.get(), ends_[1])}) {
    if (blob->size() > end) {
      if (auto cut = blob->truncate(end); !cut) return cut;
    }
    if (auto synced = blob->sync(); !synced) return synced;
  }
  return {};
}

Result<std::vector<LedgerRecord>> PartRecovery::run() {
  if (auto ok = open(); !ok) return std::unexpected(ok.error());
  if (auto ok = read_ledger(); !ok) return std::unexpected(ok.error());
  if (auto ok = verify_tail(); !ok) return std::unexpected(ok.error());
  if (records_.empty()) {
    if (auto ok = remove(); !ok) return std::unexpected(ok.error());
    return records_;
  }
  if (auto ok = cut(); !ok) return std::unexpected(ok.error());
  return std::move(records_);
}

Status PartRecovery::remove() {
  for (const auto* name : {"ledger", "output", "errors"}) {
    if (auto removed = blobs_.remove(part_key(batch_, epoch_, name)); !removed) return removed;
  }
  return {};
}

}  // namespace

Result<RecoveredParts> recover_parts(BlobStore& blobs, const BatchId& batch,
                                     const std::function<void(const LedgerRecord&)>& on_row) {
  const auto epochs = epochs_of(blobs, batch);
  if (!epochs) return std::unexpected(epochs.error());
  RecoveredParts recovered;
  for (const std::uint64_t epoch : *epochs) {
    PartRecovery part(blobs, batch, epoch);
    const auto records = part.run();
    if (!records) return std::unexpected(records.error());
    for (const LedgerRecord& record : *records) {
      recovered.totals.add(record);
      on_row(record);
    }
    if (const auto bytes = part.bytes(ResultFile::output)) {
      recovered.output.push_back({part_key(batch, epoch, "output"), bytes});
    }
    if (const auto bytes = part.bytes(ResultFile::errors)) {
      recovered.errors.push_back({part_key(batch, epoch, "errors"), bytes});
    }
  }
  return recovered;
}

}  // namespace offpeak
