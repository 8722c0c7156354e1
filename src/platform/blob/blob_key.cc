#include "platform/blob/blob_key.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace offpeak {
namespace {

constexpr std::size_t kKeyBytesMax = 512;
constexpr std::size_t kSegmentBytesMax = 200;

bool is_key_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

bool is_segment(std::string_view text) {
  return !text.empty() && text.size() <= kSegmentBytesMax && text.front() != '.' &&
         std::ranges::all_of(text, is_key_char);
}

bool is_key(std::string_view text) {
  if (text.size() > kKeyBytesMax) return false;
  for (std::size_t slash; (slash = text.find('/')) != text.npos; text.remove_prefix(slash + 1)) {
    if (!is_segment(text.substr(0, slash))) return false;
  }
  return is_segment(text);
}

}  // namespace

Status check_blob_key(const BlobKey& key) {
  if (is_key(key.text())) return {};
  return fail(ErrorKind::internal, fmt::format("'{}' is not a blob key", key));
}

}  // namespace offpeak
