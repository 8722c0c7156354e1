#include "platform/http/head_policy.h"

#include <algorithm>
#include <ranges>

#include "platform/http/message.h"

namespace offpeak::http {
namespace {

constexpr std::string_view kTokenMarks = "!#$%&'*+-.^_`|~";

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return is_alphanumeric(c) || kTokenMarks.contains(c);
  });
}

std::string_view trim(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

bool has_control_character(std::string_view text) {
  return std::ranges::any_of(text, [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F;
  });
}

using Problem = std::optional<std::string>;

struct RequestLine {
  std::string_view target;
  bool http_1_0 = false;
};

Problem check_request_line(std::string_view line, RequestLine& out) {
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) {
    return "The request line is not of the form 'METHOD target HTTP/1.1'.";
  }
  const auto method = line.substr(0, first);
  const auto version = line.substr(last + 1);
  out.target = line.substr(first + 1, last - first - 1);
  if (!is_token(method)) return "The request method is not a token.";
  if (out.target.empty() || std::ranges::any_of(out.target, [](char c) {
        return static_cast<unsigned char>(c) <= 0x20 || c == 0x7F;
      })) {
    return "The request target holds a space or a control character.";
  }
  if (out.target.contains('#')) return "The request target must not hold a fragment.";
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    return "Only HTTP/1.1 and HTTP/1.0 are served here.";
  }
  out.http_1_0 = version == "HTTP/1.0";
  return std::nullopt;
}

/// Counts the fields that decide where a message ends and whom it is for.
class FramingFields {
 public:
  Problem add(std::string_view name, std::string_view value) {
    if (iequals(name, "host")) {
      ++hosts_;
      host_ = value;
    } else if (iequals(name, "content-length")) {
      ++lengths_;
      if (value.empty() || value.size() > 19 ||
          !std::ranges::all_of(value, [](char c) { return c >= '0' && c <= '9'; })) {
        return "Content-Length is not a plain number.";
      }
    } else if (iequals(name, "transfer-encoding")) {
      ++encodings_;
      if (!iequals(value, "chunked")) {
        return "The only Transfer-Encoding served here is 'chunked'.";
      }
    }
    return std::nullopt;
  }

  Problem conclude(const RequestLine& line) const {
    if (hosts_ > 1 || (hosts_ == 0 && !line.http_1_0)) {
      return "A request needs exactly one Host header.";
    }
    if (std::ranges::any_of(host_,
                            [](char c) { return c == ' ' || c == ',' || c == '/' || c == '@'; })) {
      return "The Host header is not a host.";
    }
    if (lengths_ > 1) return "Content-Length appears more than once.";
    if (encodings_ > 1) return "Transfer-Encoding appears more than once.";
    if (lengths_ > 0 && encodings_ > 0) {
      return "Content-Length and Transfer-Encoding exclude each other.";
    }
    if (encodings_ > 0 && line.http_1_0) return "HTTP/1.0 knows no Transfer-Encoding.";
    return check_authority(line.target);
  }

 private:
  Problem check_authority(std::string_view target) const {
    if (target.starts_with('/') || target == "*") return std::nullopt;
    const std::size_t scheme = target.starts_with("http://")    ? 7
                               : target.starts_with("https://") ? 8
                                                                : 0;
    if (scheme == 0) return "The request target must begin with '/'.";
    const auto rest = target.substr(scheme);
    if (!iequals(rest.substr(0, rest.find_first_of("/?")), host_)) {
      return "The request target names another host than the Host header.";
    }
    return std::nullopt;
  }

  int hosts_ = 0;
  int lengths_ = 0;
  int encodings_ = 0;
  std::string_view host_;
};

Problem check_field(std::string_view line, FramingFields& fields) {
  if (line.starts_with(' ') || line.starts_with('\t')) {
    return "A header continues on a second line, which is obsolete and refused.";
  }
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) {
    return "A header line is not of the form 'name: value'.";
  }
  const auto value = trim(line.substr(colon + 1));
  if (has_control_character(value)) return "A header value holds a control character.";
  return fields.add(line.substr(0, colon), value);
}

}  // namespace

Problem check_head(std::string_view head) {
  FramingFields fields;
  RequestLine request_line;
  for (std::size_t number = 0;; ++number) {
    const auto end = head.find("\r\n");
    if (end == std::string_view::npos) return "The request head does not end.";
    const auto line = head.substr(0, end);
    head.remove_prefix(end + 2);
    if (line.contains('\n') || line.contains('\r')) {
      return "A line of the request head ends in a bare CR or LF.";
    }
    if (number == 0) {
      if (auto problem = check_request_line(line, request_line)) return problem;
      continue;
    }
    if (line.empty()) return fields.conclude(request_line);
    if (number > kHeadersMax) return "The request has more than 100 headers.";
    if (auto problem = check_field(line, fields)) return problem;
  }
}

}  // namespace offpeak::http
