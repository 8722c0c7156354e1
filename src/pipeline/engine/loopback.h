// Ports of 127.0.0.1 and one blocking HTTP question to them; enough to watch a child start.
#pragma once

#include <chrono>
#include <cstdint>

#include "base/error.h"

namespace offpeak {

/// Whether somebody could listen there now; 0 asks for any port. Returns the port.
Result<std::uint16_t> free_port(std::uint16_t wanted);

/// The status of `GET /health`; 0 if there is no answer. Each step of it may take `timeout`.
int health_status(std::uint16_t port, std::chrono::milliseconds timeout);

}  // namespace offpeak
