#include "pipeline/upstream/upstream_client.h"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace offpeak {
namespace {

TransportFailure transport_failure(http::ClientFailureKind kind) {
  using enum http::ClientFailureKind;
  switch (kind) {
    case connect:
      return TransportFailure::connect;
    case timeout:
      return TransportFailure::timeout;
    case broken:
      return TransportFailure::broken;
    case head_not_acceptable:
      return TransportFailure::head_too_large;
    case body_too_large:
      return TransportFailure::body_too_large;
  }
  std::unreachable();
}

}  // namespace

std::string basic_head(const UpstreamSettings& upstream, std::string_view method,
                       std::string_view target) {
  std::string head =
      fmt::format("{} {}{} HTTP/1.1\r\nhost: {}\r\nuser-agent: offpeak/{}\r\n", method,
                  upstream.endpoint.prefix, target, upstream.endpoint.authority(), OFFPEAK_VERSION);
  if (!upstream.api_key.empty()) {
    head += fmt::format("authorization: Bearer {}\r\n", upstream.api_key);
  }
  return head;
}

std::string request_head(const UpstreamSettings& upstream, std::string_view method,
                         std::string_view endpoint) {
  std::string head = basic_head(upstream, method, endpoint) + "accept: application/json\r\n";
  if (method == "POST") head += "content-type: application/json\r\n";
  return head;
}

Task<Attempt> send_row(http::ClientConnection& connection, std::string_view head, RowHead row,
                       SplicedBody body, SteadyTime deadline) {
  fmt::memory_buffer row_head;
  fmt::format_to(std::back_inserter(row_head),
                 "idempotency-key: {}\r\nx-offpeak-attempt: {}\r\ncontent-length: {}\r\n\r\n",
                 row.idempotency_key, row.attempt, body.size());
  const std::array<std::string_view, 5> pieces = {
      head, {row_head.data(), row_head.size()}, body.before, body.model, body.after};
  auto result = co_await connection.exchange(pieces, deadline);
  if (auto* const reply = std::get_if<http::ClientReply>(&result)) {
    co_return HttpReply{reply->status, std::move(reply->body), std::move(reply->request_id),
                        std::move(reply->retry_after), std::move(reply->retry_after_ms)};
  }
  auto& failure = std::get<http::ClientFailure>(result);
  co_return NoReply{transport_failure(failure.kind), std::move(failure.detail)};
}

}  // namespace offpeak
