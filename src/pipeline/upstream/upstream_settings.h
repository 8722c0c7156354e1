// One inference endpoint, as configured.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "platform/http/client.h"

namespace offpeak {

struct UpstreamSettings {
  std::string name;
  http::Endpoint endpoint;                                       // prefix included, "/v1" not
  std::vector<std::string> models;                               // empty: asked by GET /v1/models
  std::map<std::string, std::string> aliases;                    // public name -> served model
  std::uint32_t max_concurrency = 64;                            // batch attempts at a time
  std::chrono::milliseconds timeout = std::chrono::minutes(10);  // of a whole attempt
  std::string api_key;                                           // empty: none is sent
  /// Serves models that nobody else does: the local engine.
  bool catch_all = false;

  /// For messages: "gpu1 (http://10.0.0.5:8000)".
  std::string label() const;
};

}  // namespace offpeak
