// The ledger of a result journal, as bytes (docs/formats.md): a header, then one fixed-size record
// per finished row. A row is done if and only if its record is in the ledger and durable.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "core/records/batch.h"
#include "core/records/usage.h"

namespace offpeak {

/// Which of a part's two line files holds the row's line.
enum class ResultFile : std::uint8_t { output = 0, errors = 1 };

/// What became of a row. The last two were never run to an end and are in no count.
enum class RowFate : std::uint8_t { completed = 1, failed = 2, expired = 3, cancelled = 4 };

struct LedgerRecord {
  std::uint32_t row = 0;  // number in the input file, from 0
  ResultFile file = ResultFile::output;
  RowFate fate = RowFate::completed;
  std::uint16_t status = 0;         // HTTP status, 0 if there was no answer
  std::uint64_t offset = 0;         // of the line in its file
  std::uint32_t length = 0;         // with its "\n"
  std::uint32_t line_checksum = 0;  // checksum32 of the line
  TokenUsage usage;                 // each below 2^32
  std::uint64_t generation = 0;     // syncs of the part that had ended when this was written
  std::uint32_t attempts = 0;

  bool operator==(const LedgerRecord&) const = default;
};

inline constexpr std::size_t kLedgerRecordBytes = 64;
inline constexpr std::size_t kLedgerHeaderBytes = kLedgerRecordBytes;

void encode(const LedgerRecord& record, std::span<char, kLedgerRecordBytes> out);
std::optional<LedgerRecord> decode_ledger_record(std::span<const char, kLedgerRecordBytes> bytes);

/// The header names the batch (as a hash of its id) and the lease epoch it was written under.
struct LedgerHeader {
  std::uint64_t batch_hash = 0;
  std::uint64_t epoch = 0;

  bool operator==(const LedgerHeader&) const = default;
};
void encode(const LedgerHeader& header, std::span<char, kLedgerHeaderBytes> out);
std::optional<LedgerHeader> decode_ledger_header(std::span<const char, kLedgerHeaderBytes> bytes);

/// Sums over ledger records: what a batch shows and bills. `rows` counts every record.
struct LedgerTotals {
  std::uint64_t rows = 0;
  std::uint64_t completed = 0;
  std::uint64_t failed = 0;
  TokenUsage usage;

  void add(const LedgerRecord& record);
  LedgerTotals& operator+=(const LedgerTotals& other);
  bool operator==(const LedgerTotals&) const = default;
};

}  // namespace offpeak
