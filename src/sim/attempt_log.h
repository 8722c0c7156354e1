// The append-only log of every attempt: one JSON object a line, written when the attempt is over.
//
// t_ns, done_ns: CLOCK_MONOTONIC of this machine. status: as sent, 0 when no status line was sent.
// fault: null or its name. complete: every byte of a whole answer was taken by the kernel.
// client_gone: the client closed before that; done_ns is when.
// running: inference requests in hand when this one arrived, itself included.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "sim/responses.h"

namespace offpeak::sim {

struct Attempt {
  std::int64_t received_ns = 0;
  std::int64_t done_ns = 0;
  std::uint64_t sequence = 0;
  std::string method;
  std::string path;
  std::uint64_t body_hash = 0;
  std::uint64_t body_bytes = 0;
  std::string idempotency_key;  // empty: absent
  std::string attempt_header;   // empty: absent
  std::string fault;            // empty: none
  int status = 0;
  Usage usage;
  bool complete = false;
  bool client_gone = false;
  std::uint32_t running = 0;
};

void append_line(const Attempt& attempt, std::string& out);

/// Buffers; the owner calls flush() at least every 100 ms and at exit.
class AttemptLog {
 public:
  AttemptLog() = default;
  ~AttemptLog();
  AttemptLog(const AttemptLog&) = delete;
  AttemptLog& operator=(const AttemptLog&) = delete;

  /// Without open() the log drops everything.
  Status open(const std::string& path);
  void add(const Attempt& attempt);
  bool is_dirty() const { return !buffer_.empty(); }
  void flush();

 private:
  int fd_ = -1;
  std::string buffer_;
};

}  // namespace offpeak::sim
