#include "core/jsonl/row_index.h"

#include <array>
#include <cstring>

#include "base/hash.h"

namespace offpeak {
namespace {

constexpr std::uint64_t kIndexMagic = 0x3158444946504F00;  // "\0OPFIDX1"

template <class T>
void put(char*& at, T value) {
  std::memcpy(at, &value, sizeof value);
  at += sizeof value;
}

template <class T>
T get(const char*& at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  at += sizeof value;
  return value;
}

void put(char*& at, const Slice& slice) {
  put(at, slice.offset);
  put(at, slice.length);
}

Slice get_slice(const char*& at) {
  const auto offset = get<std::uint32_t>(at);
  return {offset, get<std::uint32_t>(at)};
}

}  // namespace

bool RowEntry::operator==(const RowEntry& other) const {
  std::array<char, kRowEntryBytes> mine;
  std::array<char, kRowEntryBytes> theirs;
  encode(*this, mine);
  encode(other, theirs);
  return mine == theirs;
}

void encode(const RowEntry& entry, std::span<char, kRowEntryBytes> out) {
  char* at = out.data();
  put(at, entry.offset);
  put(at, entry.length);
  put(at, entry.parts.custom_id);
  put(at, entry.parts.body);
  put(at, entry.parts.model);
  put(at, entry.parts.prompt);
  put(at, entry.parts.token_estimate);
  put(at, entry.parts.inputs);
  put(at, checksum32({out.data(), static_cast<std::size_t>(at - out.data())}));
}

std::optional<RowEntry> decode_row_entry(std::span<const char, kRowEntryBytes> bytes) {
  const char* at = bytes.data();
  RowEntry entry;
  entry.offset = get<std::uint64_t>(at);
  entry.length = get<std::uint32_t>(at);
  entry.parts.custom_id = get_slice(at);
  entry.parts.body = get_slice(at);
  entry.parts.model = get_slice(at);
  entry.parts.prompt = get_slice(at);
  entry.parts.token_estimate = get<std::uint32_t>(at);
  entry.parts.inputs = get<std::uint32_t>(at);
  const std::string_view covered(bytes.data(), static_cast<std::size_t>(at - bytes.data()));
  if (get<std::uint32_t>(at) != checksum32(covered)) return std::nullopt;
  return entry;
}

void encode(const IndexTrailer& trailer, std::span<char, kIndexTrailerBytes> out) {
  std::memset(out.data(), 0, out.size());
  char* at = out.data();
  put(at, kIndexMagic);
  put(at, trailer.rows);
  put(at, trailer.order_hash);
  put(at, trailer.input_bytes);
  put(at, trailer.prompt_tokens);
  at = out.data() + kIndexTrailerBytes - 4;
  put(at, checksum32({out.data(), kIndexTrailerBytes - 4}));
}

std::optional<IndexTrailer> decode_index_trailer(std::span<const char, kIndexTrailerBytes> bytes) {
  const char* at = bytes.data() + kIndexTrailerBytes - 4;
  if (get<std::uint32_t>(at) != checksum32({bytes.data(), kIndexTrailerBytes - 4}))
    return std::nullopt;
  at = bytes.data();
  if (get<std::uint64_t>(at) != kIndexMagic) return std::nullopt;
  IndexTrailer trailer;
  trailer.rows = get<std::uint64_t>(at);
  trailer.order_hash = get<std::uint64_t>(at);
  trailer.input_bytes = get<std::uint64_t>(at);
  trailer.prompt_tokens = get<std::uint64_t>(at);
  return trailer;
}

}  // namespace offpeak
