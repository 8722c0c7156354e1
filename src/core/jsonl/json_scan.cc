#include "core/jsonl/json_scan.h"

#include <emmintrin.h>

#include <bit>

namespace offpeak {
namespace {

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/// Behind the closing quote of the string whose first content byte is `at`. May load up to 15 bytes
/// behind the quote, which the padding of validated texts allows.
__attribute__((no_sanitize("address"))) const char* skip_string(const char* at) {
  const __m128i quote = _mm_set1_epi8('"');
  const __m128i backslash = _mm_set1_epi8('\\');
  while (true) {
    const __m128i chunk = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const __m128i hits =
        _mm_or_si128(_mm_cmpeq_epi8(chunk, quote), _mm_cmpeq_epi8(chunk, backslash));
    const auto mask = static_cast<unsigned>(_mm_movemask_epi8(hits));
    if (mask == 0) {
      at += 16;
      continue;
    }
    at += std::countr_zero(mask);
    if (*at == '"') return at + 1;
    at += 2;
  }
}

const char* skip_container(const char* at) {
  std::size_t depth = 0;
  while (true) {
    switch (*at++) {
      case '"':
        at = skip_string(at);
        break;
      case '{':
      case '[':
        ++depth;
        break;
      case '}':
      case ']':
        if (--depth == 0) return at;
        break;
      default:
        break;
    }
  }
}

}  // namespace

const char* skip_json_space(const char* at) {
  while (is_space(*at)) ++at;
  return at;
}

const char* skip_json_value(const char* at) {
  if (*at == '"') return skip_string(at + 1);
  if (*at == '{' || *at == '[') return skip_container(at);
  while (!is_space(*at) && *at != ',' && *at != '}' && *at != ']' && *at != '\0') ++at;
  return at;
}

std::string_view JsonMembers::value() {
  if (value_end_ == nullptr) value_end_ = skip_json_value(value_);
  return {value_, value_end_};
}

bool JsonMembers::next() {
  if (value_ != nullptr) {
    value();
    at_ = value_end_;
  }
  at_ = skip_json_space(at_);
  if (*at_ == ',') at_ = skip_json_space(at_ + 1);
  if (*at_ == '}') {
    ++at_;
    value_ = nullptr;
    return false;
  }
  const char* const key = at_ + 1;
  at_ = skip_json_value(at_);
  key_ = {key, at_ - 1};
  at_ = skip_json_space(at_);
  value_ = skip_json_space(at_ + 1);
  value_end_ = nullptr;
  return true;
}

}  // namespace offpeak
