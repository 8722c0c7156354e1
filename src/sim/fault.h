// Which fault, if any, a request meets: a pure function of (seed, request body, attempt number), so
// that the same row meets the same fate in every run. How a fault looks on the wire: wire.h.
//
// Text form, on the command line and in POST /sim/faults: NAME:RATE[:TIMES], for instance
// `status-503:0.2:1`. RATE is the share of bodies hit (0 to 1); TIMES limits the fault to the first
// TIMES attempts of a body, absent means always. `status:CODE:…` and `big:BYTES:…` take an
// argument.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace offpeak::sim {

enum class FaultKind {
  status,               // an error status with an OpenAI error body
  not_json,             // 200 whose body is JSON cut short, with the right length
  html,                 // 200 with a proxy's HTML page
  empty_body,           // 200, content-length 0
  truncated,            // half of the body, then close
  reset,                // half of the body, then RST
  close_before_answer,  // close without a byte
  half_close,           // half of the body, then FIN with the socket left open
  silence,              // never a byte
  drip,                 // one byte a second
  huge_header,          // one header of 1 MB, then the answer
  many_headers,         // 10,000 headers, then the answer
  informational,        // 103 and 102 heads before the answer
  redirect,             // 307 to a link-local address
  bad_usage,            // negative, string or 2^63 token counts
  pretty,               // the answer over many lines that end in CRLF
  odd_json,             // numbers, escapes and key order that a re-serialiser would change
  close_after,          // the answer, then an unannounced close
  chunked,              // the answer in chunks
  eof_body,             // the answer without a length, ended by close
  big,                  // the answer padded by `argument` bytes
};

struct FaultSpec {
  std::string name;  // as logged: "status-503"
  FaultKind kind = FaultKind::status;
  std::uint64_t argument = 0;  // status: the code; big: bytes
  double rate = 0;
  std::optional<std::uint32_t> times;
};

Result<FaultSpec> parse_fault(std::string_view text);

/// Every name parse_fault knows, for --help.
std::string fault_names();

class FaultPlan {
 public:
  explicit FaultPlan(std::uint64_t seed) : seed_(seed) {}

  /// Fails when the rates add up to more than 1.
  Status replace(std::vector<FaultSpec> faults);

  /// `attempt` counts from 1. Null: none. The result lives until replace().
  const FaultSpec* choose(std::uint64_t body_hash, std::uint32_t attempt) const;

 private:
  std::uint64_t seed_;
  std::vector<FaultSpec> faults_;
};

}  // namespace offpeak::sim
