// One keep-alive HTTP/1.1 connection to an upstream: a request at a time, reconnecting as needed.
//
// Measured choices: the request is written as preserialised pieces in one gathered write, the read
// buffer is reserved, deadlines are swept by a Watchdog instead of a timer each.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "platform/async/event_loop.h"
#include "platform/http/message.h"

namespace offpeak::http {

class Watchdog;

/// Where an upstream lives.
struct Endpoint {
  bool tls = false;
  std::string host;
  std::uint16_t port = 80;
  std::string prefix = {};  // of its paths: "" or "/path", without a slash at the end

  /// The Host header's value: without the scheme's default port.
  std::string authority() const;
};

struct ClientLimits {
  std::size_t head_bytes_max = 64 * 1024;
  std::uint64_t body_bytes_max = 256ull << 20;
  std::chrono::milliseconds connect_timeout = std::chrono::seconds(10);
};

struct ClientReply {
  int status = 0;
  std::string body;
  std::string request_id;  // x-request-id
  std::string retry_after;
  std::string retry_after_ms;
};

enum class ClientFailureKind { connect, timeout, broken, head_not_acceptable, body_too_large };

struct ClientFailure {
  ClientFailureKind kind = ClientFailureKind::broken;
  std::string detail;  // such as "connection refused"
};

using ClientResult = std::variant<ClientReply, ClientFailure>;

/// A reply whose body is still to be read.
struct ClientHead {
  int status = 0;
  std::vector<Header> headers;
  std::optional<std::uint64_t> content_length;  // nullopt: the body says itself where it ends

  /// The first header of that name, compared without case; empty if there is none.
  std::string_view header(std::string_view name) const { return find_header(headers, name); }
};

/// A loop's TLS settings (system trust store, verification on); shared by its connections.
class TlsContext;
std::unique_ptr<TlsContext, void (*)(TlsContext*)> make_tls_context();

struct ClientContext {
  EventLoop& loop;
  Watchdog& watchdog;
  TlsContext& tls;
  ClientLimits limits = {};
};

class ClientConnection {
 public:
  /// Both outlive the connection. Nothing happens before the first exchange.
  ClientConnection(const ClientContext& context, const Endpoint& endpoint);
  ~ClientConnection();
  ClientConnection(const ClientConnection&) = delete;

  /// Sends the concatenation of `request` (head and body; Content-Length is the caller's) and
  /// returns the final reply; 1xx are skipped, redirects are replies. The whole exchange, connect
  /// included, ends by `deadline`. When a kept-alive connection turns out to be closed before any
  /// byte of the reply, the request goes out once more on a new one. `request` lives until the task
  /// is done.
  Task<ClientResult> exchange(std::span<const std::string_view> request, SteadyTime deadline);

  /// Like exchange(), but returns when the reply's head is there; the body comes by read(). What of
  /// it is not read is lost: the next request then takes a new connection.
  Task<std::expected<ClientHead, ClientFailure>> open(std::span<const std::string_view> request,
                                                      SteadyTime deadline);
  /// Bytes of the body put into `into`, as soon as there are any; 0 at its end. The wait ends by
  /// `deadline`, as `timeout`. `into` lives until the task is done. After a failure: no more.
  Task<std::expected<std::size_t, ClientFailure>> read(std::span<char> into, SteadyTime deadline);
  /// Whether the next request can go out on the connection as it is.
  bool reusable() const;

  /// Breaks off what is under way, as `broken`.
  void abort();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace offpeak::http
