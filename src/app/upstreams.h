// From configuration to upstreams.
#pragma once

#include <vector>

#include "base/error.h"
#include "pipeline/upstream/upstream_settings.h"
#include "platform/config/config.h"

namespace offpeak {

/// Reads the API keys the configuration points at.
Result<std::vector<UpstreamSettings>> configured_upstreams(const Config& config);

/// The local engine as an upstream that takes whatever nobody else serves.
UpstreamSettings engine_upstream(std::uint16_t port, int slots);

/// A TCP port on 127.0.0.1 that is free right now.
std::uint16_t free_port();

}  // namespace offpeak
