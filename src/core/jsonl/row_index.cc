#include "core/jsonl/row_index.h"

#include <array>
#include <cstring>

#include "base/bytes.h"
#include "base/hash.h"

namespace offpeak {
namespace {

constexpr std::uint64_t kIndexMagic = 0x3158444946504F00;  // "\0OPFIDX1"

static_assert(sizeof(Slice) == 8, "slices are written as they lie in memory");

}  // namespace

bool RowEntry::operator==(const RowEntry& other) const {
  std::array<char, kRowEntryBytes> mine;
  std::array<char, kRowEntryBytes> theirs;
  encode(*this, mine);
  encode(other, theirs);
  return mine == theirs;
}

void encode(const RowEntry& entry, std::span<char, kRowEntryBytes> out) {
  ByteWriter writer(out.data());
  writer.put(entry.offset);
  writer.put(entry.length);
  writer.put(entry.parts.custom_id);
  writer.put(entry.parts.body);
  writer.put(entry.parts.model);
  writer.put(entry.parts.prompt);
  writer.put(entry.parts.token_estimate);
  writer.put(entry.parts.inputs);
  writer.put(checksum32({out.data(), static_cast<std::size_t>(writer.at() - out.data())}));
}

std::optional<RowEntry> decode_row_entry(std::span<const char, kRowEntryBytes> bytes) {
  ByteReader reader(bytes.data());
  RowEntry entry;
  entry.offset = reader.get<std::uint64_t>();
  entry.length = reader.get<std::uint32_t>();
  entry.parts.custom_id = reader.get<Slice>();
  entry.parts.body = reader.get<Slice>();
  entry.parts.model = reader.get<Slice>();
  entry.parts.prompt = reader.get<Slice>();
  entry.parts.token_estimate = reader.get<std::uint32_t>();
  entry.parts.inputs = reader.get<std::uint32_t>();
  const std::string_view covered(bytes.data(),
                                 static_cast<std::size_t>(reader.at() - bytes.data()));
  if (reader.get<std::uint32_t>() != checksum32(covered)) return std::nullopt;
  return entry;
}

void encode(const IndexTrailer& trailer, std::span<char, kIndexTrailerBytes> out) {
  std::memset(out.data(), 0, out.size());
  ByteWriter writer(out.data());
  writer.put(kIndexMagic);
  writer.put(trailer.rows);
  writer.put(trailer.order_hash);
  writer.put(trailer.input_bytes);
  writer.put(trailer.prompt_tokens);
  ByteWriter(out.data() + kIndexTrailerBytes - 4)
      .put(checksum32({out.data(), kIndexTrailerBytes - 4}));
}

std::optional<IndexTrailer> decode_index_trailer(std::span<const char, kIndexTrailerBytes> bytes) {
  ByteReader checksum(bytes.data() + kIndexTrailerBytes - 4);
  if (checksum.get<std::uint32_t>() != checksum32({bytes.data(), kIndexTrailerBytes - 4})) {
    return std::nullopt;
  }
  ByteReader reader(bytes.data());
  if (reader.get<std::uint64_t>() != kIndexMagic) return std::nullopt;
  IndexTrailer trailer;
  trailer.rows = reader.get<std::uint64_t>();
  trailer.order_hash = reader.get<std::uint64_t>();
  trailer.input_bytes = reader.get<std::uint64_t>();
  trailer.prompt_tokens = reader.get<std::uint64_t>();
  return trailer;
}

}  // namespace offpeak
