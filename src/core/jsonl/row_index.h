// The row index of a batch, as bytes (docs/formats.md): where each row's parts are in the input
// file, in line order, then the dispatch order as a permutation, then a trailer that makes it
// valid.
//
//   rows    count x kRowEntryBytes
//   order   count x 4 bytes, row numbers in the order they are to run
//   trailer kIndexTrailerBytes
//
// Little-endian. Rows are numbered from 0 in file order, blank lines not counted.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/jsonl/line_check.h"

namespace offpeak {

struct RowEntry {
  std::uint64_t offset = 0;  // of the line in the input file
  std::uint32_t length = 0;  // of the line
  CheckedLine parts;

  bool operator==(const RowEntry&) const;
};

inline constexpr std::size_t kRowEntryBytes = 56;
inline constexpr std::size_t kIndexTrailerBytes = 64;

void encode(const RowEntry& entry, std::span<char, kRowEntryBytes> out);
/// nullopt if the checksum does not fit.
std::optional<RowEntry> decode_row_entry(std::span<const char, kRowEntryBytes> bytes);

struct IndexTrailer {
  std::uint64_t rows = 0;
  std::uint64_t order_hash = 0;  // hash64(order section, 0)
  std::uint64_t input_bytes = 0;
  std::uint64_t prompt_tokens = 0;  // sum of the estimates

  std::uint64_t order_offset() const { return rows * kRowEntryBytes; }
  std::uint64_t index_bytes() const { return order_offset() + 4 * rows + kIndexTrailerBytes; }
  bool operator==(const IndexTrailer&) const = default;
};

void encode(const IndexTrailer& trailer, std::span<char, kIndexTrailerBytes> out);
std::optional<IndexTrailer> decode_index_trailer(std::span<const char, kIndexTrailerBytes> bytes);

}  // namespace offpeak
