#include "pipeline/intake/duplicates.h"

#include <algorithm>

#include "base/hash.h"

namespace offpeak {

std::uint64_t CustomIdHashes::hash_of(std::string_view custom_id) const {
  return hash64(custom_id, seed_);
}

void CustomIdHashes::add(std::string_view custom_id) {
  hashes_.push_back(hash_of(custom_id));
}

std::unordered_set<std::uint64_t> CustomIdHashes::take_repeated() {
  const auto all = hashes_.all();
  std::ranges::sort(all);
  std::unordered_set<std::uint64_t> repeated;
  for (std::size_t i = 1; i < all.size(); ++i) {
    if (all[i] == all[i - 1]) repeated.insert(all[i]);
  }
  hashes_.clear_and_free();
  return repeated;
}

}  // namespace offpeak
