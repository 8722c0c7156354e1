// The load itself: N keep-alive connections, one request in flight on each, one thread, one epoll.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "bench/loadgen/batch_rows.h"

namespace offpeak::bench {

struct Target {
  std::string host;  // IPv4
  std::uint16_t port = 0;
  std::string path;
};

struct LoadResult {
  std::size_t requests = 0;
  std::size_t not_200 = 0;
  double seconds = 0;
  double cpu_seconds = 0;  // user and system, of this process while the load ran
};

/// Throws std::runtime_error when the server cannot be reached, closes, or answers without a
/// length.
LoadResult run_load(const Target& target, const BatchRows& rows, std::size_t connections,
                    std::size_t requests);

}  // namespace offpeak::bench
