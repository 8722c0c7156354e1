#include "pipeline/engine/loopback.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <string>
#include <string_view>

namespace offpeak {
namespace {

class Socket {
 public:
  Socket() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() {
    if (fd_ >= 0) close(fd_);
  }
  int fd() const { return fd_; }

 private:
  int fd_;
};

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

// Reads until the status line "HTTP/1.1 200 OK" has its code.
int read_status(int fd) {
  constexpr std::size_t kCodeAt = std::string_view("HTTP/1.1 ").size();
  std::string head;
  std::array<char, 256> buffer{};
  while (head.size() < kCodeAt + 3) {
    const ssize_t got = recv(fd, buffer.data(), buffer.size(), 0);
    if (got <= 0) return 0;
    head.append(buffer.data(), static_cast<std::size_t>(got));
  }
  int status = 0;
  if (!head.starts_with("HTTP/1.")) return 0;
  std::from_chars(head.data() + kCodeAt, head.data() + kCodeAt + 3, status);
  return status;
}

}  // namespace

Result<std::uint16_t> free_port(std::uint16_t wanted) {
  const Socket probe;
  const int yes = 1;
  setsockopt(probe.fd(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address = loopback(wanted);
  socklen_t length = sizeof address;
  if (bind(probe.fd(), reinterpret_cast<sockaddr*>(&address), length) != 0 ||
      getsockname(probe.fd(), reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    return fail(ErrorKind::unavailable,
                fmt::format("the engine cannot listen on 127.0.0.1:{} (`engine.port`): {}", wanted,
                            errno_error("bind", errno).message));
  }
  return ntohs(address.sin_port);
}

int health_status(std::uint16_t port, std::chrono::milliseconds timeout) {
  const Socket socket;
  const timeval limit{.tv_sec = timeout.count() / 1000,
                      .tv_usec = static_cast<suseconds_t>(timeout.count() % 1000 * 1000)};
  setsockopt(socket.fd(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(socket.fd(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  const sockaddr_in address = loopback(port);
  if (connect(socket.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return 0;
  }
  constexpr std::string_view kRequest =
      "GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
  if (send(socket.fd(), kRequest.data(), kRequest.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(kRequest.size())) {
    return 0;
  }
  return read_status(socket.fd());
}

}  // namespace offpeak
