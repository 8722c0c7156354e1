#include "core/pace/token_bucket.h"

#include <algorithm>
#include <cmath>

namespace offpeak {
namespace {

constexpr double kMsPerMinute = 60'000;

}  // namespace

double TokenBucket::held(SteadyTime now) const {
  const std::chrono::duration<double, std::milli> passed = std::max(now, at_) - at_;
  return std::min(size_, held_ + size_ * passed.count() / kMsPerMinute);
}

bool TokenBucket::take(double amount, SteadyTime now) {
  const double there = held(now);
  const double wanted = std::min(amount, size_);
  if (there < wanted) return false;
  held_ = there - wanted;
  at_ = std::max(now, at_);
  return true;
}

std::chrono::milliseconds TokenBucket::wait_for(double amount, SteadyTime now) const {
  const double missing = std::min(amount, size_) - held(now);
  if (missing <= 0) return std::chrono::milliseconds(0);
  return std::chrono::milliseconds(
      static_cast<std::int64_t>(std::ceil(missing / size_ * kMsPerMinute)));
}

}  // namespace offpeak
