// Host names to addresses, by the system's resolver, with a time limit that it has not itself.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/webhook/address_policy.h"

namespace offpeak {

/// Every address of `host`; empty if it has none or cannot be resolved. Blocks. Thread-safe.
using Lookup = std::function<std::vector<IpAddress>(const std::string& host)>;
std::vector<IpAddress> system_lookup(const std::string& host);

/// Thread-safe.
class Resolver {
 public:
  explicit Resolver(Lookup lookup);
  ~Resolver();
  Resolver(const Resolver&) = delete;

  /// Empty also if `limit` passes or stop() is called first; a lookup that takes longer ends in the
  /// background.
  std::vector<IpAddress> resolve(const std::string& host, std::chrono::milliseconds limit);
  void stop();

 private:
  struct Shared;
  // Shared with the threads of lookups that nobody waits for any more.
  std::shared_ptr<Shared> shared_;
};

}  // namespace offpeak
