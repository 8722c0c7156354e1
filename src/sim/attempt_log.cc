#include "sim/attempt_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <iterator>

#include "sim/json_text.h"

namespace offpeak::sim {
namespace {

constexpr std::size_t kFlushBytes = 256 << 10;

void put_text_or_null(std::string_view name, std::string_view text, std::string& out) {
  out += ",\"";
  out += name;
  if (text.empty()) {
    out += "\":null";
    return;
  }
  out += "\":\"";
  append_escaped(text, out);
  out += '"';
}

}  // namespace

void append_line(const Attempt& a, std::string& out) {
  fmt::format_to(std::back_inserter(out), R"({{"t_ns":{},"done_ns":{},"seq":{})", a.received_ns,
                 a.done_ns, a.sequence);
  put_text_or_null("method", a.method, out);
  put_text_or_null("path", a.path, out);
  fmt::format_to(std::back_inserter(out), R"(,"body_xxh3":"{:016x}","body_bytes":{})", a.body_hash,
                 a.body_bytes);
  put_text_or_null("idempotency_key", a.idempotency_key, out);
  put_text_or_null("attempt", a.attempt_header, out);
  put_text_or_null("fault", a.fault, out);
  fmt::format_to(std::back_inserter(out),
                 R"(,"status":{},"prompt_tokens":{},"completion_tokens":{},"cached_tokens":{},)"
                 R"("complete":{},"client_gone":{},"running":{}}})",
                 a.status, a.usage.prompt_tokens, a.usage.completion_tokens, a.usage.cached_tokens,
                 a.complete, a.client_gone, a.running);
  out += '\n';
}

AttemptLog::~AttemptLog() {
  flush();
  if (fd_ >= 0) ::close(fd_);
}

Status AttemptLog::open(const std::string& path) {
  fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd_ < 0) return std::unexpected(errno_error("open " + path, errno));
  buffer_.reserve(kFlushBytes + 4096);
  return {};
}

void AttemptLog::add(const Attempt& attempt) {
  if (fd_ < 0) return;
  append_line(attempt, buffer_);
  if (buffer_.size() >= kFlushBytes) flush();
}

void AttemptLog::flush() {
  std::string_view rest = buffer_;
  while (!rest.empty() && fd_ >= 0) {
    const auto written = ::write(fd_, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      std::perror("offpeak-sim: attempt log");
      std::_Exit(1);  // an oracle with holes is worse than none
    }
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  buffer_.clear();
}

}  // namespace offpeak::sim
