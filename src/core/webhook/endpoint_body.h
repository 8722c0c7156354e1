// Bodies of the webhook endpoint calls (contract section 7.4): parsed and checked. Whether the URL
// may be called is said elsewhere (target_url.h), as it is the operator's choice.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace offpeak {

/// What is absent stays as it is; in a creation nothing is.
struct EndpointChange {
  std::optional<std::string> name;
  std::optional<std::string> url;
  std::optional<std::vector<std::string>> event_types;  // never empty, each name once
};

// Unknown members are ignored.
Result<EndpointChange> parse_create_endpoint(std::string_view body);
Result<EndpointChange> parse_update_endpoint(std::string_view body);
/// keep_old_secret_active_for_24_hours.
Result<bool> parse_rotate_secret(std::string_view body);
/// The event type.
Result<std::string> parse_test_endpoint(std::string_view body);

}  // namespace offpeak
