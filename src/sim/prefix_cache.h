// A block-wise prefix cache in the manner of vLLM's, over prompt bytes: which share of a prompt was
// seen before, from its beginning. Oldest blocks are dropped first.
#pragma once

#include <boost/unordered/unordered_flat_set.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string_view>

namespace offpeak::sim {

class PrefixCache {
 public:
  static constexpr std::size_t kBlockBytes = 64;  // 16 tokens of 4 bytes

  /// `blocks` = 0: never a hit.
  explicit PrefixCache(std::size_t blocks) : capacity_(blocks) {}

  /// Bytes of `prompt` that were cached; afterwards all its whole blocks are.
  std::size_t lookup(std::string_view prompt);

 private:
  std::size_t capacity_;
  boost::unordered_flat_set<std::uint64_t> blocks_;
  std::deque<std::uint64_t> order_;
};

}  // namespace offpeak::sim
