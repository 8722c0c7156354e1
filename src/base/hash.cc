#include "base/hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace offpeak {

std::uint64_t hash64(std::string_view bytes, std::uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

std::uint32_t checksum32(std::string_view bytes) {
  return static_cast<std::uint32_t>(XXH3_64bits_withSeed(bytes.data(), bytes.size(), 0x6f66'6670));
}

}  // namespace offpeak
