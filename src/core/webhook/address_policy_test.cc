#include "core/webhook/address_policy.h"

#include <gtest/gtest.h>

#include <ostream>

namespace offpeak {

static void PrintTo(AddressClass is, std::ostream* out) {
  *out << static_cast<int>(is);
}

namespace {

constexpr auto kOpen = AddressClass::open;
constexpr auto kOnPremises = AddressClass::on_premises;
constexpr auto kNever = AddressClass::never;

struct Case {
  const char* address;
  AddressClass expected;
};

// First and last address of each block, and the neighbours outside.
constexpr Case kCases[] = {
    {"0.0.0.0", kNever},
    {"0.255.255.255", kNever},
    {"1.0.0.0", kOpen},
    {"8.8.8.8", kOpen},
    {"9.255.255.255", kOpen},
    {"10.0.0.0", kOnPremises},
    {"10.255.255.255", kOnPremises},
    {"11.0.0.0", kOpen},
    {"100.63.255.255", kOpen},
    {"100.64.0.0", kOnPremises},
    {"100.127.255.255", kOnPremises},
    {"100.128.0.0", kOpen},
    {"126.255.255.255", kOpen},
    {"127.0.0.1", kOnPremises},
    {"127.255.255.255", kOnPremises},
    {"128.0.0.0", kOpen},
    {"169.253.255.255", kOpen},
    {"169.254.0.0", kNever},
    {"169.254.169.254", kNever},
    {"169.254.255.255", kNever},
    {"169.255.0.0", kOpen},
    {"172.15.255.255", kOpen},
    {"172.16.0.0", kOnPremises},
    {"172.31.255.255", kOnPremises},
    {"172.32.0.0", kOpen},
    {"191.255.255.255", kOpen},
    {"192.0.0.0", kNever},
    {"192.0.0.255", kNever},
    {"192.0.1.0", kOpen},
    {"192.0.2.0", kNever},
    {"192.0.2.255", kNever},
    {"192.0.3.0", kOpen},
    {"192.88.98.255", kOpen},
    {"192.88.99.0", kNever},
    {"192.88.99.255", kNever},
    {"192.88.100.0", kOpen},
    {"192.167.255.255", kOpen},
    {"192.168.0.0", kOnPremises},
    {"192.168.255.255", kOnPremises},
    {"192.169.0.0", kOpen},
    {"198.17.255.255", kOpen},
    {"198.18.0.0", kNever},
    {"198.19.255.255", kNever},
    {"198.20.0.0", kOpen},
    {"198.51.100.0", kNever},
    {"198.51.100.255", kNever},
    {"198.51.101.0", kOpen},
    {"203.0.112.255", kOpen},
    {"203.0.113.0", kNever},
    {"203.0.113.255", kNever},
    {"203.0.114.0", kOpen},
    {"223.255.255.255", kOpen},
    {"224.0.0.0", kNever},
    {"239.255.255.255", kNever},
    {"240.0.0.0", kNever},
    {"255.255.255.255", kNever},
    {"::", kNever},
    {"::1", kOnPremises},
    {"::2", kNever},
    {"::7f00:1", kNever},            // IPv4-compatible
    {"::ffff:8.8.8.8", kNever},      // IPv4-mapped
    {"::ffff:127.0.0.1", kNever},    // IPv4-mapped
    {"::ffff:0:127.0.0.1", kNever},  // IPv4-translated
    {"64:ff9b::7f00:1", kNever},     // NAT64
    {"64:ff9b:1::a00:1", kNever},    // NAT64, local
    {"100::1", kNever},              // discard
    {"1fff:ffff::1", kNever},
    {"2000::1", kOpen},
    {"2001::1", kNever},     // Teredo
    {"2001:2::1", kNever},   // benchmarks
    {"2001:10::1", kNever},  // ORCHID
    {"2001:1ff:ffff::1", kNever},
    {"2001:200::1", kOpen},
    {"2001:db7:ffff::1", kOpen},
    {"2001:db8::1", kNever},  // documentation
    {"2001:db9::1", kOpen},
    {"2001:4860:4860::8888", kOpen},
    {"2002:7f00:1::", kNever},  // 6to4 of 127.0.0.1
    {"2002:ffff::1", kNever},
    {"2003::1", kOpen},
    {"2600:1f18::1", kOpen},
    {"3ffe:ffff::1", kOpen},
    {"3fff::1", kNever},  // documentation
    {"3fff:fff::1", kNever},
    {"3fff:1000::1", kOpen},
    {"4000::1", kNever},
    {"5f00::1", kNever},  // SRv6
    {"fbff::1", kNever},
    {"fc00::1", kOnPremises},
    {"fd00:ec2::254", kOnPremises},
    {"fdff:ffff::1", kOnPremises},
    {"fe80::1", kNever},
    {"febf::1", kNever},
    {"fec0::1", kNever},
    {"ff02::1", kNever},
    {"ffff::1", kNever},
};

TEST(AddressPolicy, ClassifiesEveryBlockAndItsNeighbours) {
  for (const auto& [text, expected] : kCases) {
    const auto address = parse_ip(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(classify(*address), expected) << text;
  }
}

TEST(AddressPolicy, ReadsOnlyTheUsualSpelling) {
  for (const auto* text : {"", "1", "127.1", "0x7f.0.0.1", "0177.0.0.1", "2130706433", "1.2.3.256",
                           "1.2.3.4.5", "[::1]", "fe80::1%eth0", "1.2.3.4 ", ":::"}) {
    EXPECT_FALSE(parse_ip(text)) << text;
  }
  EXPECT_FALSE(parse_ip(std::string_view("1.2.3.4\0x", 9)));
}

TEST(AddressPolicy, WritesTheShortForm) {
  EXPECT_EQ(to_string(*parse_ip("2001:0DB8:0:0:0:0:0:1")), "2001:db8::1");
  EXPECT_EQ(to_string(*parse_ip("192.0.2.1")), "192.0.2.1");
}

}  // namespace
}  // namespace offpeak
