// For tests: an HTTP server of a few lines on 127.0.0.1 (and ::1) that keeps what it was sent and
// answers every request with the same bytes.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace offpeak {

class TestReceiver {
 public:
  /// With an empty answer the request is read and never answered.
  explicit TestReceiver(std::string answer) : answer_(std::move(answer)) {
    listener_ = ::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int off = 0;
    ::setsockopt(listener_, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    socklen_t size = sizeof address;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::listen(listener_, 16) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      throw std::runtime_error("cannot listen");
    }
    port_ = ntohs(address.sin6_port);
    thread_ = std::thread([this] { run(); });
  }
  ~TestReceiver() {
    stopping_ = true;
    thread_.join();
    ::close(listener_);
    for (const int connection : open_) ::close(connection);
  }
  TestReceiver(const TestReceiver&) = delete;

  std::uint16_t port() const { return port_; }
  int connections() const { return connections_; }
  std::vector<std::string> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  void run() {
    while (!stopping_) {
      pollfd waiting{listener_, POLLIN, 0};
      if (::poll(&waiting, 1, 20) != 1) continue;
      const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (connection < 0) continue;
      ++connections_;
      serve(connection);
    }
  }
  void serve(int connection) {
    std::string text;
    char buffer[4096];
    while (!is_whole(text)) {
      const auto count = ::recv(connection, buffer, sizeof buffer, 0);
      if (count <= 0) break;
      text.append(buffer, static_cast<std::size_t>(count));
    }
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(text);
    }
    if (answer_.empty()) {
      open_.push_back(connection);
      return;
    }
    static_cast<void>(::send(connection, answer_.data(), answer_.size(), MSG_NOSIGNAL));
    ::close(connection);
  }
  static bool is_whole(const std::string& text) {
    const auto head = text.find("\r\n\r\n");
    const auto length = text.find("Content-Length: ");
    if (text.starts_with('\x16')) return true;  // a TLS handshake
    if (head == std::string::npos) return false;
    if (length == std::string::npos) return true;
    return text.size() >= head + 4 + std::stoul(text.substr(length + 16));
  }

  std::string answer_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_ = 0;
  std::atomic<bool> stopping_ = false;
  std::vector<int> open_;  // connections that get no answer; the thread's
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  std::thread thread_;
};

}  // namespace offpeak
