#include "sim/wire.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ctime>
#include <iterator>

#include "sim/json_text.h"

namespace offpeak::sim {
namespace {

constexpr std::size_t kHugeHeaderBytes = 1'000'000;
constexpr int kManyHeaders = 10'000;

template <class... Args>
void put(std::string& out, fmt::format_string<Args...> format, Args&&... args) {
  fmt::format_to(std::back_inserter(out), format, std::forward<Args>(args)...);
}

std::string_view reason(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 307:
      return "Temporary Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 404:
      return "Not Found";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 413:
      return "Content Too Large";
    case 429:
      return "Too Many Requests";
    case 500:
      return "Internal Server Error";
    case 503:
      return "Service Unavailable";
    default:
      return "Status";
  }
}

void put_retry_hints(const RetryHints& hints, std::int64_t now, std::string& out) {
  if (hints.retry_after) {
    const std::string_view value = *hints.retry_after;
    constexpr std::string_view kDate = "date:";
    if (value.starts_with(kDate)) {
      const auto seconds = std::strtoll(value.data() + kDate.size(), nullptr, 10);
      put(out, "retry-after: {}\r\n", http_date(now + seconds));
    } else {
      put(out, "retry-after: {}\r\n", value);
    }
  }
  if (hints.retry_after_ms) put(out, "retry-after-ms: {}\r\n", *hints.retry_after_ms);
}

void put_fault_headers(FaultKind kind, std::string& out) {
  if (kind == FaultKind::huge_header) {
    out += "x-huge: ";
    out.append(kHugeHeaderBytes, 'h');
    out += "\r\n";
  } else if (kind == FaultKind::many_headers) {
    for (int i = 0; i < kManyHeaders; ++i) put(out, "x-many-{}: {}\r\n", i, i);
  } else if (kind == FaultKind::redirect) {
    out += "location: http://169.254.169.254/latest/meta-data/\r\n";
  }
}

void put_chunked(std::string_view body, std::string& out) {
  constexpr std::array<std::size_t, 4> kSizes = {1, 7, 64, 1000};
  for (std::size_t i = 0; !body.empty(); ++i) {
    const auto size = std::min(kSizes[std::min(i, kSizes.size() - 1)], body.size());
    put(out, "{:x}{}\r\n{}\r\n", size, i == 1 ? ";name=value" : "", body.substr(0, size));
    body.remove_prefix(size);
  }
  out += "0\r\nx-trailer: sim\r\n\r\n";
}

void put_events(std::string_view body, WireAnswer& out) {
  while (!body.empty()) {
    const auto size = std::min(body.find("\n\n"), body.size() - 2) + 2;
    put(out.bytes, "{:x}\r\n{}\r\n", size, body.substr(0, size));
    body.remove_prefix(size);
    if (!body.empty()) out.pauses.push_back(out.bytes.size());
  }
  out.bytes += "0\r\n\r\n";
}

void cut_short(Ending ending, std::size_t body_bytes, WireAnswer& out) {
  out.bytes.resize(out.bytes.size() - (body_bytes + 1) / 2);
  out.ending = ending;
  out.is_whole = false;
}

bool skips_answer(FaultKind kind, WireAnswer& out) {
  if (kind != FaultKind::close_before_answer && kind != FaultKind::silence) return false;
  out.ending = kind == FaultKind::silence ? Ending::hold : Ending::close;
  out.is_whole = false;
  return true;
}

void apply_ending(FaultKind kind, std::size_t body_bytes, WireAnswer& out) {
  switch (kind) {
    case FaultKind::truncated:
      return cut_short(Ending::close, body_bytes, out);
    case FaultKind::reset:
      return cut_short(Ending::reset, body_bytes, out);
    case FaultKind::half_close:
      return cut_short(Ending::half_close, body_bytes, out);
    case FaultKind::drip:
      out.drip = true;
      return;
    case FaultKind::close_after:
    case FaultKind::eof_body:
      out.ending = Ending::close;
      return;
    default:
      return;
  }
}

}  // namespace

std::string http_date(std::int64_t unix_seconds) {
  return fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", fmt::gmtime(std::time_t{unix_seconds}));
}

std::string_view bad_usage(std::uint64_t key) {
  constexpr std::array<std::string_view, 5> kKinds = {
      R"({"prompt_tokens":-5,"completion_tokens":-1,"total_tokens":-6})",
      R"({"prompt_tokens":"12","completion_tokens":"many","total_tokens":null})",
      R"({"prompt_tokens":9223372036854775808,"completion_tokens":9223372036854775808,)"
      R"("total_tokens":18446744073709551615})",
      R"({"prompt_tokens":1.5,"completion_tokens":1e300})",
      R"([1,2,3])",
  };
  return kKinds[key % kKinds.size()];
}

void apply_body_fault(const FaultSpec& fault, std::string& body, std::string_view& content_type) {
  switch (fault.kind) {
    case FaultKind::pretty:
      body = pretty_printed(body);
      return;
    case FaultKind::odd_json:
      body = with_odd_members(body);
      return;
    case FaultKind::big:
      body = with_padding(body, fault.argument);
      return;
    case FaultKind::not_json:
      body.resize(body.size() / 2);
      return;
    case FaultKind::empty_body:
      body.clear();
      return;
    case FaultKind::html:
      body =
          "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad "
          "Gateway</h1></center>\r\n</body>\r\n</html>\r\n";
      content_type = "text/html";
      return;
    default:
      return;
  }
}

void render_wire(const Reply& reply, const FaultSpec* fault, std::int64_t unix_seconds,
                 const RetryHints& hints, WireAnswer& out) {
  const auto kind = fault != nullptr ? std::optional(fault->kind) : std::nullopt;
  if (kind && skips_answer(*kind, out)) return;
  if (kind == FaultKind::informational) {
    out.bytes +=
        "HTTP/1.1 103 Early Hints\r\nlink: </a>; rel=preload\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"
        "HTTP/1.1 103 Early Hints\r\ncontent-length: 5\r\n\r\n";
  }
  out.status = reply.status;
  out.ending = reply.keep_alive ? Ending::keep : Ending::close;
  put(out.bytes, "HTTP/1.1 {} {}\r\ncontent-type: {}\r\nx-request-id: req_sim_{}\r\n", reply.status,
      reason(reply.status), reply.content_type, reply.sequence);
  const bool events = reply.is_stream && kind != FaultKind::eof_body;
  if (events) out.bytes += "cache-control: no-cache\r\n";
  if (events || kind == FaultKind::chunked) {
    out.bytes += "transfer-encoding: chunked\r\n";
  } else if (kind != FaultKind::eof_body) {
    put(out.bytes, "content-length: {}\r\n", reply.body.size());
  }
  if (kind) put_fault_headers(*kind, out.bytes);
  if (kind == FaultKind::status) put_retry_hints(hints, unix_seconds, out.bytes);
  out.bytes += reply.keep_alive ? "\r\n" : "connection: close\r\n\r\n";
  if (kind == FaultKind::chunked) {
    put_chunked(reply.body, out.bytes);
  } else if (events) {
    put_events(reply.body, out);
  } else {
    out.bytes += reply.body;
  }
  if (kind) apply_ending(*kind, reply.body.size(), out);
}

}  // namespace offpeak::sim
