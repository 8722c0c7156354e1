// Randomness as an injected dependency: ids, keys, jitter, hash seeds.
#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <string>

namespace offpeak {

class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(std::span<std::byte> out) = 0;

  std::uint64_t u64();
  /// Uniform in [0, 1).
  double unit();
  /// `digits` lower-case hex digits.
  std::string hex(std::size_t digits);
  /// `length` characters of [0-9A-Za-z], uniform.
  std::string alphanumeric(std::size_t length);
};

/// The kernel's generator (getrandom(2)): fit for keys. Thread-safe.
class SystemRandom final : public Random {
 public:
  void fill(std::span<std::byte> out) override;
};

/// Reproducible, not for secrets, not thread-safe.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : engine_(seed) {}
  void fill(std::span<std::byte> out) override;

 private:
  std::mt19937_64 engine_;
};

}  // namespace offpeak
