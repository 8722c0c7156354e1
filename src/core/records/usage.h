// Token counts: of one answer, and summed over a batch. Integers only; they are the bill.
#pragma once

#include <cstdint>

namespace offpeak {

struct TokenUsage {
  std::uint64_t input = 0;
  std::uint64_t cached_input = 0;  // part of input
  std::uint64_t output = 0;
  std::uint64_t reasoning = 0;  // part of output

  std::uint64_t total() const { return input + output; }

  TokenUsage& operator+=(const TokenUsage& other) {
    input += other.input;
    cached_input += other.cached_input;
    output += other.output;
    reasoning += other.reasoning;
    return *this;
  }
  bool operator==(const TokenUsage&) const = default;
};

}  // namespace offpeak
