#include "pipeline/intake/row_index_reader.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "base/hash.h"
#include "pipeline/results/part.h"

namespace offpeak {
namespace {

std::unexpected<Error> damaged(std::string_view what) {
  return fail(ErrorKind::internal, fmt::format("A row index is damaged: {}.", what));
}

}  // namespace

Result<RowIndexReader> RowIndexReader::open(BlobStore& blobs, const BatchId& batch) {
  auto blob = blobs.open(index_key(batch));
  if (!blob) return std::unexpected(blob.error());
  const std::uint64_t size = (*blob)->size();
  std::array<char, kIndexTrailerBytes> bytes;
  if (size < bytes.size()) return fail(ErrorKind::not_found, "The row index is not finished.");
  const auto count = (*blob)->read_at(size - bytes.size(), bytes);
  if (!count) return std::unexpected(count.error());
  const auto trailer = decode_index_trailer(bytes);
  if (!trailer || trailer->index_bytes() != size) {
    return fail(ErrorKind::not_found, "The row index is not finished.");
  }
  RowIndexReader reader;
  reader.blob_ = std::move(*blob);
  reader.trailer_ = *trailer;
  return reader;
}

Result<RowEntry> RowIndexReader::entry(std::uint32_t row) const {
  std::array<char, kRowEntryBytes> bytes;
  const auto count = blob_->read_at(std::uint64_t{row} * kRowEntryBytes, bytes);
  if (!count) return std::unexpected(count.error());
  const auto entry = *count == bytes.size() ? decode_row_entry(bytes) : std::nullopt;
  if (!entry) return damaged(fmt::format("row {} fails its checksum", row));
  return *entry;
}

Result<std::vector<std::uint32_t>> RowIndexReader::order() const {
  std::vector<std::uint32_t> order(trailer_.rows);
  const std::span<char> bytes(reinterpret_cast<char*>(order.data()), 4 * order.size());
  const auto count = blob_->read_at(trailer_.order_offset(), bytes);
  if (!count) return std::unexpected(count.error());
  if (*count != bytes.size() || hash64({bytes.data(), bytes.size()}, 0) != trailer_.order_hash) {
    return damaged("the dispatch order fails its checksum");
  }
  return order;
}

}  // namespace offpeak
