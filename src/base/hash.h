// Non-cryptographic hashing (xxHash, XXH3): duplicate detection and checksums of our own files.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace offpeak {

/// Seed it from Random wherever the input is a user's: ids are hostile.
std::uint64_t hash64(std::string_view bytes, std::uint64_t seed);

/// Low 32 bits of XXH3-64 over `bytes` with a fixed seed: the checksum of the journal and row index
/// (docs/formats.md). All-zero input does not give zero.
std::uint32_t checksum32(std::string_view bytes);

/// XXH3-128 as 32 hex digits: tells apart what one and the same caller sends. Not for secrets.
std::string hash128_hex(std::string_view bytes);

/// The same over bytes that come in pieces.
class Hash128 {
 public:
  Hash128();
  ~Hash128();
  Hash128(Hash128&&) noexcept;
  Hash128& operator=(Hash128&&) noexcept;

  void update(std::string_view bytes);
  std::string hex() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace offpeak
