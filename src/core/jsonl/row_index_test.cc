#include "core/jsonl/row_index.h"

#include <gtest/gtest.h>

#include <array>

namespace offpeak {
namespace {

TEST(RowIndex, EntryRoundTripsAndEveryFlippedBitIsSeen) {
  const RowEntry entry{.offset = 1ull << 40,
                       .length = 4000,
                       .parts = {{14, 7}, {60, 3900}, {70, 5}, {90, 3000}, 750, 3}};
  std::array<char, kRowEntryBytes> bytes;
  encode(entry, bytes);
  EXPECT_EQ(decode_row_entry(bytes), entry);
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    auto broken = bytes;
    broken[bit / 8] = static_cast<char>(broken[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_EQ(decode_row_entry(broken), std::nullopt) << bit;
  }
  EXPECT_EQ(decode_row_entry(std::array<char, kRowEntryBytes>{}), std::nullopt);
}

TEST(RowIndex, TrailerRoundTripsAndZerosAreNoTrailer) {
  const IndexTrailer trailer{.rows = 10, .order_hash = 5, .input_bytes = 999, .prompt_tokens = 7};
  std::array<char, kIndexTrailerBytes> bytes;
  encode(trailer, bytes);
  EXPECT_EQ(decode_index_trailer(bytes), trailer);
  EXPECT_EQ(trailer.index_bytes(), 10 * kRowEntryBytes + 40 + kIndexTrailerBytes);
  EXPECT_EQ(decode_index_trailer(std::array<char, kIndexTrailerBytes>{}), std::nullopt);
}

}  // namespace
}  // namespace offpeak
