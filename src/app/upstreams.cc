#include "app/upstreams.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>

#include "core/schedule/planner.h"
#include "platform/config/base_url.h"

namespace offpeak {

Result<std::vector<UpstreamSettings>> configured_upstreams(const Config& config) {
  if (config.upstreams.size() >= kUpstreamsMax) {
    return fail(ErrorKind::invalid_request,
                fmt::format("At most {} upstreams can be configured.", kUpstreamsMax - 1));
  }
  std::vector<UpstreamSettings> upstreams;
  for (const UpstreamConfig& from : config.upstreams) {
    const auto url = parse_base_url(from.base_url);
    if (!url) {
      return fail(ErrorKind::invalid_request,
                  fmt::format("The base_url of upstream {} must be {}", from.name, url.error()));
    }
    auto key = read_api_key(from, process_environment());
    if (!key) return std::unexpected(key.error());
    upstreams.push_back({.name = from.name,
                         .endpoint = {url->tls, url->host, url->port, url->prefix},
                         .models = from.models,
                         .aliases = from.aliases,
                         .max_concurrency = static_cast<std::uint32_t>(from.max_concurrency),
                         .timeout = from.timeout,
                         .api_key = key->value_or("")});
  }
  return upstreams;
}

UpstreamSettings engine_upstream(std::uint16_t port, int slots) {
  return {.name = "local-engine",
          .endpoint = {.host = "127.0.0.1", .port = port},
          .max_concurrency = static_cast<std::uint32_t>(slots),
          .catch_all = true};
}

std::uint16_t free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  const bool bound = fd >= 0 && ::bind(fd, reinterpret_cast<sockaddr*>(&address), length) == 0 &&
                     ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) == 0;
  if (fd >= 0) ::close(fd);
  return bound ? ntohs(address.sin_port) : 0;
}

}  // namespace offpeak
