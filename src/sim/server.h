// The sockets of offpeak-sim: one thread, one epoll, HTTP/1.1 with keep-alive and pipelining (one
// answer at a time per connection, in order).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "sim/simulator.h"

namespace offpeak::sim {

class Server {
 public:
  /// Both outlive the server.
  Server(Simulator& simulator, AttemptLog& log);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Returns the port. Blocks SIGTERM and SIGINT, which end run().
  Result<std::uint16_t> listen(const std::string& host, std::uint16_t port);
  void run();

 private:
  struct Connection;
  enum class Alarm { reset, drip, resume };

  void accept_all();
  void on_event(std::uint64_t id, std::uint32_t events);
  void read_from(Connection& connection, bool until_end);
  void pump(Connection& connection);
  void refuse(Connection& connection);
  void send_answer(Connection& connection);
  void write_some(Connection& connection);
  /// Sends up to `end`; false if the socket takes no more for now, or has ended.
  bool send_until(Connection& connection, std::size_t end);
  void watch_writable(Connection& connection, bool wanted);
  void finish_answer(Connection& connection);
  void end_exchange(Connection& connection);
  void client_gone(Connection& connection);
  void close(Connection& connection);
  void reap();
  void set_alarm(Connection& connection, Nanoseconds after, Alarm alarm);
  void ring_alarms();
  void flush_log_when_due();
  int wait_ms() const;
  void refresh_clock();

  Simulator& simulator_;
  AttemptLog& log_;
  int epoll_ = -1;
  int listener_ = -1;
  int signals_ = -1;
  bool stopping_ = false;
  Now now_;
  Nanoseconds log_flushed_at_ = 0;
  std::uint64_t last_id_ = 0;
  std::unordered_map<std::uint64_t, std::unique_ptr<Connection>> connections_;
  std::multimap<Nanoseconds, std::pair<std::uint64_t, Alarm>> alarms_;
  std::vector<std::uint64_t> closed_;
};

}  // namespace offpeak::sim
