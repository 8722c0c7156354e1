#include "bench/loadgen/response_reader.h"

#include <strings.h>

#include <charconv>

namespace offpeak::bench {
namespace {

constexpr std::string_view kLengthName = "\r\ncontent-length:";

std::size_t find_length(std::string_view head) {
  for (auto at = head.find("\r\n"); at != std::string_view::npos; at = head.find("\r\n", at + 2)) {
    if (head.size() - at > kLengthName.size() &&
        strncasecmp(head.data() + at, kLengthName.data(), kLengthName.size()) == 0) {
      return at + kLengthName.size();
    }
  }
  return std::string_view::npos;
}

}  // namespace

ReadState read_response(std::string_view input, ResponseHead& head) {
  const auto end = input.find("\r\n\r\n");
  if (end == std::string_view::npos) return ReadState::need_more;
  const auto text = input.substr(0, end + 2);
  auto at = find_length(text);
  if (at == std::string_view::npos || text.size() < 12) return ReadState::unsupported;
  while (text[at] == ' ') ++at;
  std::size_t length = 0;
  if (std::from_chars(text.data() + at, text.data() + text.size(), length).ec != std::errc() ||
      std::from_chars(text.data() + 9, text.data() + 12, head.status).ec != std::errc()) {
    return ReadState::unsupported;
  }
  head.total_bytes = end + 4 + length;
  return input.size() >= head.total_bytes ? ReadState::complete : ReadState::need_more;
}

}  // namespace offpeak::bench
