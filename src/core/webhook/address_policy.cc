#include "core/webhook/address_policy.h"

#include <arpa/inet.h>

#include <algorithm>
#include <span>

namespace offpeak {
namespace {

struct Block {
  std::string_view prefix;
  int bits;
  AddressClass is;
};

constexpr auto kOpen = AddressClass::open;
constexpr auto kOnPremises = AddressClass::on_premises;
constexpr auto kNever = AddressClass::never;

// The first block that holds an address decides.
constexpr Block kV4[] = {
    {"0.0.0.0", 8, kNever},            // this network
    {"10.0.0.0", 8, kOnPremises},      // private
    {"100.64.0.0", 10, kOnPremises},   // carrier-grade NAT
    {"127.0.0.0", 8, kOnPremises},     // loopback
    {"169.254.0.0", 16, kNever},       // link-local
    {"172.16.0.0", 12, kOnPremises},   // private
    {"192.0.0.0", 24, kNever},         // protocol assignments
    {"192.0.2.0", 24, kNever},         // documentation
    {"192.88.99.0", 24, kNever},       // 6to4 relays
    {"192.168.0.0", 16, kOnPremises},  // private
    {"198.18.0.0", 15, kNever},        // benchmarks
    {"198.51.100.0", 24, kNever},      // documentation
    {"203.0.113.0", 24, kNever},       // documentation
    {"224.0.0.0", 4, kNever},          // multicast
    {"240.0.0.0", 4, kNever},          // reserved, broadcast
    {"0.0.0.0", 0, kOpen},
};

constexpr Block kV6[] = {
    {"::1", 128, kOnPremises},   // loopback
    {"fc00::", 7, kOnPremises},  // unique local
    {"2001::", 23, kNever},      // protocol assignments: Teredo, benchmarks, ORCHID
    {"2001:db8::", 32, kNever},  // documentation
    {"2002::", 16, kNever},      // 6to4
    {"3fff::", 20, kNever},      // documentation
    {"2000::", 3, kOpen},        // global unicast
};

bool holds(const Block& block, const IpAddress& address) {
  const auto prefix = parse_ip(block.prefix);
  if (!prefix) return false;
  for (int bit = 0; bit < block.bits; bit += 8) {
    const int compared = std::min(8, block.bits - bit);
    const auto mask = static_cast<std::uint8_t>(0xFF << (8 - compared));
    const auto at = static_cast<std::size_t>(bit / 8);
    if ((prefix->bytes[at] & mask) != (address.bytes[at] & mask)) return false;
  }
  return true;
}

}  // namespace

std::optional<IpAddress> parse_ip(std::string_view text) {
  const std::string terminated(text);
  if (text.contains(char{0})) return std::nullopt;
  IpAddress address;
  if (::inet_pton(AF_INET, terminated.c_str(), address.bytes.data()) == 1) return address;
  address.v6 = true;
  if (::inet_pton(AF_INET6, terminated.c_str(), address.bytes.data()) == 1) return address;
  return std::nullopt;
}

std::string to_string(const IpAddress& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(address.v6 ? AF_INET6 : AF_INET, address.bytes.data(), text.data(), text.size());
  return text.data();
}

AddressClass classify(const IpAddress& address) {
  const auto blocks = address.v6 ? std::span<const Block>(kV6) : std::span<const Block>(kV4);
  const auto found =
      std::ranges::find_if(blocks, [&](const Block& block) { return holds(block, address); });
  return found == blocks.end() ? kNever : found->is;
}

}  // namespace offpeak
