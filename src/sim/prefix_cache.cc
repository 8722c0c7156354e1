#include "sim/prefix_cache.h"

#include "base/hash.h"

namespace offpeak::sim {

std::size_t PrefixCache::lookup(std::string_view prompt) {
  if (capacity_ == 0) return 0;
  std::size_t cached = 0;
  bool hit = true;
  std::uint64_t chain = 0;
  for (; prompt.size() >= kBlockBytes; prompt.remove_prefix(kBlockBytes)) {
    chain = hash64(prompt.substr(0, kBlockBytes), chain);
    if (hit && blocks_.contains(chain)) {
      cached += kBlockBytes;
      continue;
    }
    hit = false;
    if (!blocks_.insert(chain).second) continue;
    order_.push_back(chain);
    if (order_.size() > capacity_) {
      blocks_.erase(order_.front());
      order_.pop_front();
    }
  }
  return cached;
}

}  // namespace offpeak::sim
