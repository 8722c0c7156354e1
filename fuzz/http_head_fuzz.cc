// Request heads: one that passes has a single reading, whatever parser comes next.
#include <algorithm>
#include <cctype>

#include "fuzz/fuzz.h"
#include "platform/http/head_policy.h"

using offpeak::fuzz::require;

namespace {

std::size_t count(std::string_view text, std::string_view what) {
  std::size_t found = 0;
  for (auto at = text.find(what); at != text.npos; at = text.find(what, at + 1)) ++found;
  return found;
}

void check_accepted(std::string_view head) {
  require(count(head, "\r") == count(head, "\r\n"), "no bare CR");
  require(count(head, "\n") == count(head, "\r\n"), "no bare LF");
  require(!head.contains('\0'), "no NUL");
  std::string lower(head);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  const auto lengths = count(lower, "\r\ncontent-length:");
  const auto encodings = count(lower, "\r\ntransfer-encoding:");
  require(lengths + encodings <= 1, "one statement of the body's length");
  require(count(lower, "\r\nhost:") <= 1, "one Host");
  for (auto at = head.find("\r\n") + 2; at + 2 < head.size(); at = head.find("\r\n", at) + 2) {
    const auto name = head.substr(at, head.find(':', at) - at);
    require(!name.empty() && name.find_first_of(" \t\r\n") == name.npos,
            "a header's name is a word");
  }
  require(count(lower, "\r\n ") == 0 && count(lower, "\r\n\t") == 0, "no folded lines");
  require(count(head, "\r\n") <= offpeak::http::kHeadersMax + 2, "no more headers than allowed");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = offpeak::fuzz::text_of(data, size);
  const auto end = text.find("\r\n\r\n");
  const bool ends = end != std::string_view::npos;
  const std::string head(ends ? text.substr(0, end + 4) : text);
  const auto problem = offpeak::http::check_head(head);
  if (problem) {
    require(!problem->empty(), "a refusal says why");
  } else {
    require(ends, "a head ends with an empty line");
    check_accepted(head);
  }
  return 0;
}
