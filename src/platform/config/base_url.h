// The address of an OpenAI-compatible server: http(s)://host[:port][/prefix][/v1][/].
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace offpeak {

struct BaseUrl {
  bool tls = false;
  std::string host;  // IPv6 without brackets
  std::uint16_t port = 80;
  std::string prefix;  // "" or "/path", never with /v1 or a trailing slash

  /// scheme://host[:port][prefix]; the port only if it is not the scheme's own.
  std::string text() const;
  bool is_loopback() const;
};

/// The error completes "must be …".
std::expected<BaseUrl, std::string> parse_base_url(std::string_view text);

struct HostPort {
  std::string host;
  std::uint16_t port = 0;
};

/// "host:port" or "[v6]:port"; the error completes "must be …".
std::expected<HostPort, std::string> parse_host_port(std::string_view text);

}  // namespace offpeak
