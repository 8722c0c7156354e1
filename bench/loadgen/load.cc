#include "bench/loadgen/load.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <stdexcept>
#include <vector>

#include "bench/loadgen/response_reader.h"

namespace offpeak::bench {
namespace {

constexpr std::size_t kReceiveBytes = 16 << 10;

struct Connection {
  int fd = -1;
  std::string head;  // of the request, until it has left
  std::string_view body;
  std::size_t sent = 0;
  std::vector<char> input = std::vector<char>(kReceiveBytes);
  std::size_t received = 0;
};

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

int connect_to(const Target& target) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(target.port);
  if (inet_pton(AF_INET, target.host.c_str(), &address.sin_addr) != 1) {
    throw std::runtime_error(fmt::format("not an IPv4 address: {}", target.host));
  }
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    throw std::runtime_error(
        fmt::format("connect to {}:{}: {}", target.host, target.port, std::strerror(errno)));
  }
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

class Load {
 public:
  Load(const Target& target, const BatchRows& rows, std::size_t connections, std::size_t requests)
      : rows_(rows),
        requests_(requests),
        head_(fmt::format("POST {} HTTP/1.1\r\nHost: {}:{}\r\nContent-Type: application/json\r\n"
                          "Content-Length: ",
                          target.path, target.host, target.port)),
        epoll_(epoll_create1(EPOLL_CLOEXEC)),
        connections_(std::min(connections, requests)) {
    for (std::size_t i = 0; i < connections_.size(); ++i) {
      connections_[i].fd = connect_to(target);
      epoll_event event{.events = EPOLLIN, .data = {.u64 = i}};
      epoll_ctl(epoll_, EPOLL_CTL_ADD, connections_[i].fd, &event);
    }
  }
  ~Load() {
    for (const auto& connection : connections_) ::close(connection.fd);
    ::close(epoll_);
  }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  LoadResult run() {
    const auto cpu_before = cpu_seconds();
    const auto begin = std::chrono::steady_clock::now();
    for (auto& connection : connections_) send_next(connection);
    std::array<epoll_event, 256> events{};
    while (result_.requests < requests_) {
      const int count = epoll_wait(epoll_, events.data(), events.size(), -1);
      for (int i = 0; i < count; ++i) receive(connections_[events[i].data.u64]);
    }
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
    result_.seconds = elapsed.count();
    result_.cpu_seconds = cpu_seconds() - cpu_before;
    return result_;
  }

 private:
  void send_next(Connection& connection) {
    if (started_ == requests_) return;
    connection.body = rows_[started_++ % rows_.size()];
    connection.head.assign(head_);
    connection.head += fmt::format_int(connection.body.size()).c_str();
    connection.head += "\r\n\r\n";
    connection.sent = 0;
    send_rest(connection);
  }

  // The sockets block on writing: a request is far smaller than a socket buffer.
  void send_rest(Connection& connection) {
    const auto total = connection.head.size() + connection.body.size();
    while (connection.sent < total) {
      std::array<iovec, 2> parts{};
      std::size_t count = 0;
      const auto head_left =
          connection.head.size() - std::min(connection.sent, connection.head.size());
      if (head_left > 0) parts[count++] = {connection.head.data() + connection.sent, head_left};
      const auto body_sent = connection.sent - (connection.head.size() - head_left);
      parts[count++] = {const_cast<char*>(connection.body.data()) + body_sent,
                        connection.body.size() - body_sent};
      const auto written = writev(connection.fd, parts.data(), static_cast<int>(count));
      if (written < 0) throw std::runtime_error(fmt::format("write: {}", std::strerror(errno)));
      connection.sent += static_cast<std::size_t>(written);
    }
  }

  void receive(Connection& connection) {
    auto& input = connection.input;
    if (connection.received == input.size()) input.resize(input.size() * 2);
    const auto count = recv(connection.fd, input.data() + connection.received,
                            input.size() - connection.received, MSG_DONTWAIT);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) throw std::runtime_error("the server closed a connection");
    connection.received += static_cast<std::size_t>(count);
    ResponseHead head;
    const auto state = read_response({input.data(), connection.received}, head);
    if (state == ReadState::unsupported) throw std::runtime_error("an answer without a length");
    if (state == ReadState::need_more) return;
    if (head.total_bytes != connection.received) throw std::runtime_error("bytes after an answer");
    connection.received = 0;
    ++result_.requests;
    if (head.status != 200) ++result_.not_200;
    send_next(connection);
  }

  const BatchRows& rows_;
  std::size_t requests_;
  std::size_t started_ = 0;
  std::string head_;
  int epoll_;
  std::vector<Connection> connections_;
  LoadResult result_;
};

}  // namespace

LoadResult run_load(const Target& target, const BatchRows& rows, std::size_t connections,
                    std::size_t requests) {
  return Load(target, rows, connections, requests).run();
}

}  // namespace offpeak::bench
