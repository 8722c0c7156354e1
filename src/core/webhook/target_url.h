// The URL of a webhook endpoint, read more strictly than any HTTP client reads it: one way to write
// each thing, so that what is checked is what is called.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "core/webhook/address_policy.h"

namespace offpeak {

struct TargetUrl {
  bool tls = true;
  std::string host;  // lower case; IPv6 without brackets
  std::uint16_t port = 443;
  std::string path;                  // with the query; begins with "/"
  std::optional<IpAddress> literal;  // set if the host is an address

  /// Host as it stands in a URL: IPv6 in brackets.
  std::string url_host() const;
  std::string text() const;
};

inline constexpr std::size_t kTargetUrlMax = 2048;

/// invalid_request with param `url` if it is no plain http(s) URL: user names, fragments, escapes
/// or non-ASCII letters in the host, a trailing dot and every unusual spelling of an address are
/// refused. With `allow_private` plain http and on-premises addresses are accepted.
Result<TargetUrl> parse_target_url(std::string_view text, bool allow_private);

/// Whether a delivery may connect to `address`.
bool may_connect(const IpAddress& address, bool allow_private);

}  // namespace offpeak
