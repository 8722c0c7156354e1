// Deterministic pseudo-random values from a key (splitmix64's finaliser).
#pragma once

#include <cstdint>

namespace offpeak::sim {

constexpr std::uint64_t mix(std::uint64_t key) {
  key += 0x9e3779b97f4a7c15ULL;
  key = (key ^ (key >> 30)) * 0xbf58476d1ce4e5b9ULL;
  key = (key ^ (key >> 27)) * 0x94d049bb133111ebULL;
  return key ^ (key >> 31);
}

/// Uniform in [0, 1).
constexpr double mix_unit(std::uint64_t key) {
  return static_cast<double>(mix(key) >> 11) * 0x1.0p-53;
}

}  // namespace offpeak::sim
