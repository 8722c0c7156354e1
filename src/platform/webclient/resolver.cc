#include "platform/webclient/resolver.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace offpeak {
namespace {

std::optional<IpAddress> address_of(const sockaddr& socket) {
  IpAddress address;
  if (socket.sa_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, &socket, sizeof v4);
    std::memcpy(address.bytes.data(), &v4.sin_addr, sizeof v4.sin_addr);
    return address;
  }
  if (socket.sa_family != AF_INET6) return std::nullopt;
  sockaddr_in6 v6;
  std::memcpy(&v6, &socket, sizeof v6);
  std::memcpy(address.bytes.data(), &v6.sin6_addr, sizeof v6.sin6_addr);
  address.v6 = true;
  return address;
}

}  // namespace

std::vector<IpAddress> system_lookup(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), nullptr, &hints, &found) != 0) return {};
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, ::freeaddrinfo);
  std::vector<IpAddress> addresses;
  for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
    const auto address = address_of(*entry->ai_addr);
    if (!address) return {};
    if (std::ranges::find(addresses, *address) == addresses.end()) addresses.push_back(*address);
  }
  return addresses;
}

struct Resolver::Shared {
  Lookup lookup;
  std::mutex mutex;
  std::condition_variable changed;
  bool stopped = false;  // guarded by mutex
};

Resolver::Resolver(Lookup lookup) : shared_(std::make_shared<Shared>()) {
  shared_->lookup = std::move(lookup);
}

Resolver::~Resolver() {
  stop();
}

std::vector<IpAddress> Resolver::resolve(const std::string& host, std::chrono::milliseconds limit) {
  using Answer = std::optional<std::vector<IpAddress>>;
  const auto answer = std::make_shared<Answer>();  // guarded by shared->mutex
  const auto work = [shared = shared_, answer, host] {
    auto addresses = shared->lookup(host);
    const std::lock_guard lock(shared->mutex);
    *answer = std::move(addresses);
    shared->changed.notify_all();
  };
  std::unique_lock lock(shared_->mutex);
  if (shared_->stopped) return {};
  std::thread(work).detach();
  const auto ended = [&] { return shared_->stopped || answer->has_value(); };
  shared_->changed.wait_for(lock, limit, ended);
  return answer->value_or(std::vector<IpAddress>());
}

void Resolver::stop() {
  const std::lock_guard lock(shared_->mutex);
  shared_->stopped = true;
  shared_->changed.notify_all();
}

}  // namespace offpeak
