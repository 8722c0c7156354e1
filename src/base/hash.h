// Non-cryptographic hashing (xxHash, XXH3): duplicate detection and checksums of our own files.
#pragma once

#include <cstdint>
#include <string_view>

namespace offpeak {

/// Seed it from Random wherever the input is a user's: ids are hostile.
std::uint64_t hash64(std::string_view bytes, std::uint64_t seed);

/// Low 32 bits of XXH3-64 over `bytes` with a fixed seed: the checksum of the journal and row index
/// (docs/formats.md). All-zero input does not give zero.
std::uint32_t checksum32(std::string_view bytes);

}  // namespace offpeak
