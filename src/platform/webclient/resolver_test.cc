#include "platform/webclient/resolver.h"

#include <gtest/gtest.h>

#include <future>
#include <thread>

namespace offpeak {
namespace {

using namespace std::chrono_literals;

TEST(Resolver, GivesWhatTheLookupFound) {
  const std::vector<IpAddress> both = {*parse_ip("192.0.2.1"), *parse_ip("2001:db8::1")};
  Resolver resolver([&](const std::string& host) {
    return host == "both.example" ? both : std::vector<IpAddress>();
  });
  EXPECT_EQ(resolver.resolve("both.example", 10s), both);
  EXPECT_TRUE(resolver.resolve("none.example", 10s).empty());
}

TEST(Resolver, ALookupThatHangsIsGivenUp) {
  std::promise<void> release;
  Resolver resolver([done = release.get_future().share()](const std::string&) {
    done.wait();
    return std::vector{*parse_ip("192.0.2.1")};
  });
  EXPECT_TRUE(resolver.resolve("slow.example", 10ms).empty());
  std::thread stopper([&] { resolver.stop(); });
  EXPECT_TRUE(resolver.resolve("slow.example", 1h).empty());
  stopper.join();
  EXPECT_TRUE(resolver.resolve("slow.example", 1h).empty()) << "and stays stopped";
  release.set_value();
}

TEST(Resolver, TheSystemKnowsLocalhost) {
  const auto addresses = system_lookup("localhost");
  ASSERT_FALSE(addresses.empty());
  for (const auto& address : addresses) {
    EXPECT_EQ(classify(address), AddressClass::on_premises) << to_string(address);
  }
  EXPECT_TRUE(system_lookup("no such name").empty());
}

}  // namespace
}  // namespace offpeak
