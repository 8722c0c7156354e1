// A rate limit: a bucket that holds one minute's worth and fills evenly. Time is an argument.
#pragma once

#include <chrono>

#include "base/clock.h"

namespace offpeak {

class TokenBucket {
 public:
  /// Full at the beginning. REQUIRES: per_minute > 0.
  TokenBucket(double per_minute, SteadyTime now) : size_(per_minute), held_(per_minute), at_(now) {}

  /// Takes `amount`, or nothing if less than that is there. An amount above the bucket's size
  /// counts as its size, so that it passes when the bucket is full.
  bool take(double amount, SteadyTime now);
  /// How long until take(amount) succeeds.
  std::chrono::milliseconds wait_for(double amount, SteadyTime now) const;

  double size() const { return size_; }
  double held(SteadyTime now) const;
  /// How long until it is full.
  std::chrono::milliseconds full_in(SteadyTime now) const { return wait_for(size_, now); }

 private:
  double size_;
  double held_;
  SteadyTime at_;
};

}  // namespace offpeak
