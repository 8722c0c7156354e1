// HTTP as the rest of the tree sees it: no Beast, no sockets.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"
#include "platform/async/task.h"

namespace offpeak::http {

struct Header {
  std::string name;
  std::string value;
};

/// The first header of that name, compared without case; empty if there is none.
std::string_view find_header(const std::vector<Header>& headers, std::string_view name);

struct Request {
  std::string method;
  std::string target;  // as sent: path and query, not decoded
  std::vector<Header> headers;
  std::string id;                               // "req_…", sent back as x-request-id
  std::optional<std::uint64_t> content_length;  // nullopt: none, or chunked

  /// The first header of that name, compared without case; empty if there is none.
  std::string_view header(std::string_view name) const;
  /// The target up to "?", not decoded.
  std::string_view path() const;
  /// The target behind "?", not decoded.
  std::string_view query() const;
};

/// The request's body, read piece by piece; nothing is buffered beyond one piece.
class RequestBody {
 public:
  virtual ~RequestBody() = default;
  /// The next piece, valid until the next call; empty at the end. An error means that the
  /// connection is gone or broke the protocol: give up.
  virtual Task<Result<std::string_view>> read() = 0;
  /// From now on until the response is sent, `gone` is called once on the server's loop should the
  /// client close the connection, or its sending side. Nothing is watched for handlers that do not
  /// ask. An empty function takes it back. REQUIRES: the body was read to its end.
  virtual void when_gone(std::function<void()> gone) = 0;
};

/// A response body that is made while it is sent.
class ResponseStream {
 public:
  virtual ~ResponseStream() = default;
  /// Known length: sent as Content-Length. Otherwise chunked.
  virtual std::optional<std::uint64_t> length() const = 0;
  /// The next piece, valid until the next call; empty at the end. On an error the connection is
  /// cut, so that the client sees that the body is not whole.
  virtual Task<Result<std::string_view>> next() = 0;
};

struct Response {
  int status = 200;
  std::vector<Header> headers;
  std::variant<std::string, std::unique_ptr<ResponseStream>> body;
};

class Handler {
 public:
  virtual ~Handler() = default;
  /// Called once per request, on the server's loop. `request` and `body` live until the returned
  /// task is done. Whatever of the body is not read is drained within limits or the connection is
  /// closed.
  virtual Task<Response> handle(Request& request, RequestBody& body) = 0;
  /// The answer to a request that breaks the protocol, before it has a route.
  virtual Response refuse(const Error& error, std::string_view request_id) = 0;
};

/// Whether two header names or tokens are equal without regard to case.
bool iequals(std::string_view a, std::string_view b);

}  // namespace offpeak::http
