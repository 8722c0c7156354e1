// From an answer to the bytes on the wire, faults included.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/fault.h"

namespace offpeak::sim {

/// What becomes of the connection when the bytes have left.
enum class Ending {
  keep,
  close,
  reset,       // RST, a moment after the bytes so that the peer can see them
  half_close,  // FIN, the socket stays until the peer closes
  hold,        // nothing more until the peer closes
};

struct Reply {
  int status = 200;
  std::string_view content_type = "application/json";
  std::string_view body = {};
  std::uint64_t sequence = 0;
  bool keep_alive = true;
  bool is_stream = false;  // server-sent events: a chunk each, with pauses between them
};

/// Headers of status faults.
struct RetryHints {
  std::optional<std::string> retry_after;     // verbatim, or `date:SECONDS` = an HTTP date from now
  std::optional<std::string> retry_after_ms;  // verbatim
};

struct WireAnswer {
  std::string bytes;
  Ending ending = Ending::keep;
  bool drip = false;                     // one byte a second
  bool is_whole = true;                  // false: the peer never gets a complete answer
  int status = 0;                        // as sent; 0: no status line at all
  std::vector<std::size_t> pauses = {};  // where in `bytes` an event but the last ends
};

/// Appends to out.bytes. `fault` may be null; a fault that changes the body has been applied to it
/// by then (faulty_body), the others are applied here.
void render_wire(const Reply& reply, const FaultSpec* fault, std::int64_t unix_seconds,
                 const RetryHints& hints, WireAnswer& out);

/// The token counts that `bad-usage` claims: one of several wrong kinds, chosen by `key`.
std::string_view bad_usage(std::uint64_t key);

/// Applies pretty, odd-json, big, not-json, html and empty-body to a finished body and its type.
void apply_body_fault(const FaultSpec& fault, std::string& body, std::string_view& content_type);

/// "Sun, 06 Nov 1994 08:49:37 GMT"
std::string http_date(std::int64_t unix_seconds);

}  // namespace offpeak::sim
