// Finds custom_ids that occur more than once, exactly: by seeded 64-bit hashes first, then by text.
#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/growing_array.h"

namespace offpeak {

/// Eight bytes a row.
class CustomIdHashes {
 public:
  /// The seed is secret: ids are chosen by users.
  explicit CustomIdHashes(std::uint64_t seed) : seed_(seed) {}

  void add(std::string_view custom_id);
  std::uint64_t hash_of(std::string_view custom_id) const;
  /// Hashes that occurred more than once. Almost surely true duplicates; the caller compares the
  /// texts. Frees the memory.
  std::unordered_set<std::uint64_t> take_repeated();

 private:
  std::uint64_t seed_;
  GrowingArray<std::uint64_t> hashes_;
};

}  // namespace offpeak
