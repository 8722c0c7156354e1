#include "sim/server.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <string_view>

#include "sim/input_buffer.h"

namespace offpeak::sim {
namespace {

constexpr Nanoseconds kMillisecond = 1'000'000;
constexpr Nanoseconds kFlushLogAfter = 80 * kMillisecond;
constexpr Nanoseconds kResetAfter = 5 * kMillisecond;
constexpr Nanoseconds kDripEvery = 1000 * kMillisecond;
constexpr std::size_t kPipelinedBytesMax = 64 << 20;
constexpr std::uint32_t kGone = EPOLLRDHUP | EPOLLHUP | EPOLLERR;
constexpr std::uint64_t kListenerId = 0;
constexpr std::uint64_t kSignalsId = ~std::uint64_t{0};

Nanoseconds read_clock(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return Nanoseconds{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

void watch(int epoll, int operation, int fd, std::uint32_t events, std::uint64_t id) {
  epoll_event event{.events = events, .data = {.u64 = id}};
  epoll_ctl(epoll, operation, fd, &event);
}

int block_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

}  // namespace

struct Server::Connection {
  enum class Phase { reading, waiting, sending, pausing, dripping, holding, closed };

  std::uint64_t id = 0;
  int fd = -1;
  Phase phase = Phase::reading;
  bool watching_writable = false;
  std::size_t sent = 0;
  std::size_t pauses_taken = 0;
  InputBuffer input;
  RequestParser parser;
  Exchange exchange;
};

Server::Server(Simulator& simulator, AttemptLog& log) : simulator_(simulator), log_(log) {}

Server::~Server() {
  for (auto& [id, connection] : connections_) ::close(connection->fd);
  for (const int fd : {listener_, signals_, epoll_}) {
    if (fd >= 0) ::close(fd);
  }
}

Result<std::uint16_t> Server::listen(const std::string& host, std::uint16_t port) {
  sockaddr_in address{
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {}, .sin_zero = {}};
  if (inet_pton(AF_INET, host == "localhost" ? "127.0.0.1" : host.c_str(), &address.sin_addr) !=
      1) {
    return fail(ErrorKind::invalid_request, "not an IPv4 address: " + host);
  }
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(listener_, generic, size) != 0 || ::listen(listener_, 4096) != 0 ||
      getsockname(listener_, generic, &size) != 0) {
    return std::unexpected(errno_error("listen on " + host + ":" + std::to_string(port), errno));
  }
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  signals_ = block_signals();
  watch(epoll_, EPOLL_CTL_ADD, listener_, EPOLLIN, kListenerId);
  watch(epoll_, EPOLL_CTL_ADD, signals_, EPOLLIN, kSignalsId);
  return ntohs(address.sin_port);
}

void Server::refresh_clock() {
  now_ = {.steady = read_clock(CLOCK_MONOTONIC),
          .unix_seconds = read_clock(CLOCK_REALTIME) / 1'000'000'000};
}

int Server::wait_ms() const {
  Nanoseconds until = now_.steady + 60'000 * kMillisecond;
  if (const auto event = simulator_.next_event()) until = std::min(until, *event);
  if (!alarms_.empty()) until = std::min(until, alarms_.begin()->first);
  if (log_.is_dirty()) until = std::min(until, log_flushed_at_ + kFlushLogAfter);
  return static_cast<int>((std::max<Nanoseconds>(until - now_.steady, 0) + kMillisecond - 1) /
                          kMillisecond);
}

void Server::run() {
  std::array<epoll_event, 256> events{};
  refresh_clock();
  while (!stopping_) {
    const int count = epoll_wait(epoll_, events.data(), events.size(), wait_ms());
    refresh_clock();
    const std::span ready(events.data(), static_cast<std::size_t>(std::max(count, 0)));
    // Hang-ups first: a client that closes one connection and asks on another must not be counted
    // twice.
    for (const bool gone : {true, false}) {
      for (const auto& event : ready) {
        if (((event.events & kGone) != 0) == gone) on_event(event.data.u64, event.events);
      }
    }
    for (const auto id : simulator_.advance(now_.steady)) {
      const auto found = connections_.find(id);
      if (found == connections_.end()) continue;
      simulator_.leave_engine(found->second->exchange);
      send_answer(*found->second);
      pump(*found->second);
    }
    ring_alarms();
    reap();
    flush_log_when_due();
  }
  for (auto& [id, connection] : connections_) end_exchange(*connection);
  log_.flush();
}

void Server::flush_log_when_due() {
  if (!log_.is_dirty()) {
    log_flushed_at_ = now_.steady;
  } else if (now_.steady - log_flushed_at_ >= kFlushLogAfter) {
    log_.flush();
    log_flushed_at_ = now_.steady;
  }
}

void Server::on_event(std::uint64_t id, std::uint32_t events) {
  if (id == kListenerId) return accept_all();
  if (id == kSignalsId) {
    stopping_ = true;
    return;
  }
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  auto& connection = *found->second;
  if ((events & EPOLLOUT) != 0 && connection.phase == Connection::Phase::sending) {
    write_some(connection);
    pump(connection);
  }
  const bool ended = (events & kGone) != 0;
  if (ended || (events & EPOLLIN) != 0) read_from(connection, ended);
}

void Server::accept_all() {
  while (true) {
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    auto connection = std::make_unique<Connection>();
    connection->id = ++last_id_;
    connection->fd = fd;
    watch(epoll_, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLRDHUP, connection->id);
    connections_.emplace(connection->id, std::move(connection));
  }
}

void Server::read_from(Connection& connection, bool until_end) {
  bool more = true;
  while (more && connection.phase != Connection::Phase::closed) {
    const auto received = connection.input.read_from(connection.fd);
    if (received < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (received <= 0) return client_gone(connection);
    more = until_end || connection.input.is_full();
    if (connection.phase == Connection::Phase::reading) {
      pump(connection);
    } else if (connection.input.view().size() > kPipelinedBytesMax) {
      close(connection);
    }
  }
}

void Server::pump(Connection& connection) {
  while (connection.phase == Connection::Phase::reading && !connection.input.view().empty()) {
    const auto state = connection.parser.parse(connection.input.view());
    if (state == RequestParser::State::bad) return refuse(connection);
    if (state == RequestParser::State::need_more) {
      if (connection.parser.take_expect_continue()) {
        constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
        if (::send(connection.fd, kContinue.data(), kContinue.size(), MSG_NOSIGNAL) < 0) {
          close(connection);
        }
      }
      return;
    }
    const auto request = connection.parser.request();
    const bool at_once = simulator_.begin(connection.id, request, connection.exchange, now_);
    connection.input.consume(connection.parser.consumed());
    connection.parser.reset();
    connection.phase = Connection::Phase::waiting;
    if (at_once) send_answer(connection);
  }
}

void Server::refuse(Connection& connection) {
  constexpr std::string_view kAnswer =
      "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
  std::ignore = ::send(connection.fd, kAnswer.data(), kAnswer.size(), MSG_NOSIGNAL);
  close(connection);
}

void Server::send_answer(Connection& connection) {
  connection.sent = 0;
  connection.pauses_taken = 0;
  if (connection.exchange.answer.drip) {
    connection.phase = Connection::Phase::dripping;
    set_alarm(connection, 0, Alarm::drip);
    return;
  }
  connection.phase = Connection::Phase::sending;
  write_some(connection);
}

void Server::write_some(Connection& connection) {
  const auto& answer = connection.exchange.answer;
  const bool paced = simulator_.stream_pause() > 0;
  while (paced && connection.pauses_taken < answer.pauses.size()) {
    const auto end = std::min(answer.pauses[connection.pauses_taken], answer.bytes.size());
    if (!send_until(connection, end)) return;
    ++connection.pauses_taken;
    if (end == answer.bytes.size()) break;
    connection.phase = Connection::Phase::pausing;
    return set_alarm(connection, simulator_.stream_pause(), Alarm::resume);
  }
  if (!send_until(connection, answer.bytes.size())) return;
  finish_answer(connection);
}

bool Server::send_until(Connection& connection, std::size_t end) {
  const auto& bytes = connection.exchange.answer.bytes;
  while (connection.sent < end) {
    const auto written =
        ::send(connection.fd, bytes.data() + connection.sent, end - connection.sent, MSG_NOSIGNAL);
    if (written < 0 && errno == EAGAIN) {
      watch_writable(connection, true);
      return false;
    }
    if (written < 0) {
      client_gone(connection);
      return false;
    }
    connection.sent += static_cast<std::size_t>(written);
  }
  watch_writable(connection, false);
  return true;
}

void Server::watch_writable(Connection& connection, bool wanted) {
  if (connection.watching_writable == wanted) return;
  connection.watching_writable = wanted;
  const std::uint32_t events = EPOLLIN | EPOLLRDHUP | (wanted ? EPOLLOUT : 0U);
  watch(epoll_, EPOLL_CTL_MOD, connection.fd, events, connection.id);
}

void Server::finish_answer(Connection& connection) {
  switch (connection.exchange.answer.ending) {
    case Ending::keep:
      end_exchange(connection);
      connection.phase = Connection::Phase::reading;
      return;
    case Ending::close:
      end_exchange(connection);
      return close(connection);
    case Ending::reset:
      connection.phase = Connection::Phase::holding;
      return set_alarm(connection, kResetAfter, Alarm::reset);
    case Ending::half_close:
      shutdown(connection.fd, SHUT_WR);
      connection.phase = Connection::Phase::holding;
      return;
    case Ending::hold:
      connection.phase = Connection::Phase::holding;
      return;
  }
}

void Server::end_exchange(Connection& connection) {
  const bool all = connection.sent == connection.exchange.answer.bytes.size();
  const auto sent = connection.sent == 0 ? Sent::nothing : all ? Sent::all : Sent::part;
  simulator_.end(connection.id, connection.exchange, sent, now_.steady);
  connection.sent = 0;
}

void Server::client_gone(Connection& connection) {
  connection.exchange.attempt.client_gone = true;
  close(connection);
}

void Server::close(Connection& connection) {
  if (connection.phase == Connection::Phase::closed) return;
  end_exchange(connection);
  connection.phase = Connection::Phase::closed;
  ::close(connection.fd);
  closed_.push_back(connection.id);
}

void Server::reap() {
  for (const auto id : closed_) connections_.erase(id);
  closed_.clear();
}

void Server::set_alarm(Connection& connection, Nanoseconds after, Alarm alarm) {
  alarms_.emplace(now_.steady + after, std::pair(connection.id, alarm));
}

void Server::ring_alarms() {
  while (!alarms_.empty() && alarms_.begin()->first <= now_.steady) {
    const auto [id, alarm] = alarms_.begin()->second;
    alarms_.erase(alarms_.begin());
    const auto found = connections_.find(id);
    if (found == connections_.end() || found->second->phase == Connection::Phase::closed) continue;
    auto& connection = *found->second;
    if (alarm == Alarm::reset) {
      const linger abort{.l_onoff = 1, .l_linger = 0};
      setsockopt(connection.fd, SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
      close(connection);
      continue;
    }
    if (alarm == Alarm::resume) {
      connection.phase = Connection::Phase::sending;
      write_some(connection);
      pump(connection);
      continue;
    }
    const auto& bytes = connection.exchange.answer.bytes;
    if (::send(connection.fd, bytes.data() + connection.sent, 1, MSG_NOSIGNAL) == 1) {
      ++connection.sent;
    }
    if (connection.sent < bytes.size()) {
      set_alarm(connection, kDripEvery, Alarm::drip);
    } else {
      finish_answer(connection);
      pump(connection);
    }
  }
}

}  // namespace offpeak::sim
