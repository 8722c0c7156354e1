#include "pipeline/results/ledger.h"

#include <gtest/gtest.h>

#include <array>

namespace offpeak {
namespace {

TEST(Ledger, RecordRoundTripsAndEveryFlippedBitIsSeen) {
  const LedgerRecord record{.row = 7,
                            .file = ResultFile::errors,
                            .fate = RowFate::failed,
                            .status = 429,
                            .offset = 1ull << 33,
                            .length = 800,
                            .line_checksum = 0xdeadbeef,
                            .usage = {0xFFFFFFFF, 2, 3, 4},
                            .generation = 99,
                            .attempts = 5};
  std::array<char, kLedgerRecordBytes> bytes;
  encode(record, bytes);
  EXPECT_EQ(decode_ledger_record(bytes), record);
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    auto broken = bytes;
    broken[bit / 8] = static_cast<char>(broken[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_EQ(decode_ledger_record(broken), std::nullopt) << bit;
  }
  EXPECT_EQ(decode_ledger_record(std::array<char, kLedgerRecordBytes>{}), std::nullopt);
}

TEST(Ledger, HeaderIsNotARecordOfAnotherBatch) {
  std::array<char, kLedgerHeaderBytes> bytes;
  encode(LedgerHeader{5, 2}, bytes);
  EXPECT_EQ(decode_ledger_header(bytes), (LedgerHeader{5, 2}));
  EXPECT_NE(decode_ledger_header(bytes), (LedgerHeader{5, 3}));
}

TEST(Ledger, TotalsLeaveUnrunRowsOutOfTheCounts) {
  LedgerTotals totals;
  for (const auto fate :
       {RowFate::completed, RowFate::failed, RowFate::expired, RowFate::cancelled}) {
    totals.add({.fate = fate, .usage = {10, 0, 1, 0}});
  }
  EXPECT_EQ(totals, (LedgerTotals{4, 1, 1, {40, 0, 4, 0}}));
}

}  // namespace
}  // namespace offpeak
