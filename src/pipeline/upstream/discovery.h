// Asks an upstream which models it serves (GET /v1/models), again and again.
#pragma once

#include "base/clock.h"
#include "pipeline/upstream/model_directory.h"
#include "platform/http/client.h"

namespace offpeak {

/// Runs for ever: every few seconds until the first answer, then once a minute. References outlive
/// it.
Task<> discover_models(const http::ClientContext& context, const Clock& clock,
                       ModelDirectory& directory, UpstreamIndex index,
                       const UpstreamSettings& upstream);

}  // namespace offpeak
