// Which addresses a webhook may be sent to. Its URL comes from a user, so that without this the
// server would be a way into the network it stands in (SSRF).
//
// Sources: the IANA special-purpose registries for IPv4 and IPv6. IPv6 is refused unless it is
// global unicast (2000::/3), which leaves out loopback, unique local, link-local, multicast,
// addresses that carry an IPv4 address (mapped, compatible, NAT64) and SRv6.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace offpeak {

struct IpAddress {
  std::array<std::uint8_t, 16> bytes{};  // network order; IPv4 uses the first four
  bool v6 = false;

  auto operator<=>(const IpAddress&) const = default;
};

/// Four decimal numbers, or IPv6 without brackets and zone.
std::optional<IpAddress> parse_ip(std::string_view text);
std::string to_string(const IpAddress& address);

enum class AddressClass {
  open,         // reachable by anybody
  on_premises,  // loopback, private, shared (100.64/10) or unique local
  never,        // everything else, such as link-local, where clouds keep their metadata
};

AddressClass classify(const IpAddress& address);

}  // namespace offpeak
