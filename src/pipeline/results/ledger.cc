#include "pipeline/results/ledger.h"

#include <cstring>
#include <string_view>

#include "base/bytes.h"
#include "base/hash.h"

namespace offpeak {
namespace {

constexpr std::uint64_t kLedgerMagic = 0x3147444C46504F00;  // "\0OPFLDG1"

void seal(std::span<char, kLedgerRecordBytes> out) {
  ByteWriter(out.data() + out.size() - 4).put(checksum32({out.data(), out.size() - 4}));
}

bool sealed(std::span<const char, kLedgerRecordBytes> bytes) {
  return ByteReader(bytes.data() + bytes.size() - 4).get<std::uint32_t>() ==
         checksum32({bytes.data(), bytes.size() - 4});
}

}  // namespace

void encode(const LedgerRecord& record, std::span<char, kLedgerRecordBytes> out) {
  std::memset(out.data(), 0, out.size());
  ByteWriter writer(out.data());
  writer.put(record.row);
  writer.put(record.file);
  writer.put(record.fate);
  writer.put(record.status);
  writer.put(record.offset);
  writer.put(record.length);
  writer.put(record.line_checksum);
  writer.put(static_cast<std::uint32_t>(record.usage.input));
  writer.put(static_cast<std::uint32_t>(record.usage.cached_input));
  writer.put(static_cast<std::uint32_t>(record.usage.output));
  writer.put(static_cast<std::uint32_t>(record.usage.reasoning));
  writer.put(record.generation);
  writer.put(record.attempts);
  seal(out);
}

std::optional<LedgerRecord> decode_ledger_record(std::span<const char, kLedgerRecordBytes> bytes) {
  if (!sealed(bytes)) return std::nullopt;
  ByteReader reader(bytes.data());
  LedgerRecord record;
  record.row = reader.get<std::uint32_t>();
  record.file = reader.get<ResultFile>();
  record.fate = reader.get<RowFate>();
  record.status = reader.get<std::uint16_t>();
  record.offset = reader.get<std::uint64_t>();
  record.length = reader.get<std::uint32_t>();
  record.line_checksum = reader.get<std::uint32_t>();
  record.usage.input = reader.get<std::uint32_t>();
  record.usage.cached_input = reader.get<std::uint32_t>();
  record.usage.output = reader.get<std::uint32_t>();
  record.usage.reasoning = reader.get<std::uint32_t>();
  record.generation = reader.get<std::uint64_t>();
  record.attempts = reader.get<std::uint32_t>();
  return record;
}

void encode(const LedgerHeader& header, std::span<char, kLedgerHeaderBytes> out) {
  std::memset(out.data(), 0, out.size());
  ByteWriter writer(out.data());
  writer.put(kLedgerMagic);
  writer.put(header.batch_hash);
  writer.put(header.epoch);
  seal(out);
}

std::optional<LedgerHeader> decode_ledger_header(std::span<const char, kLedgerHeaderBytes> bytes) {
  if (!sealed(bytes)) return std::nullopt;
  ByteReader reader(bytes.data());
  if (reader.get<std::uint64_t>() != kLedgerMagic) return std::nullopt;
  LedgerHeader header;
  header.batch_hash = reader.get<std::uint64_t>();
  header.epoch = reader.get<std::uint64_t>();
  return header;
}

void LedgerTotals::add(const LedgerRecord& record) {
  ++rows;
  if (record.fate == RowFate::completed) ++completed;
  if (record.fate == RowFate::failed) ++failed;
  usage += record.usage;
}

LedgerTotals& LedgerTotals::operator+=(const LedgerTotals& other) {
  rows += other.rows;
  completed += other.completed;
  failed += other.failed;
  usage += other.usage;
  return *this;
}

}  // namespace offpeak
