#include "core/jsonl/json_text.h"

#include <simdjson.h>

#include <boost/json.hpp>
#include <cstring>

namespace offpeak {
namespace {

constexpr std::string_view kWhiteSpace = " \t\n\r";

/// Recursive descent over RFC 8259; UTF-8 is checked apart.
class Grammar {
 public:
  explicit Grammar(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}

  bool document() {
    skip_space();
    if (!value(0)) return false;
    skip_space();
    return at_ == end_;
  }

 private:
  bool value(std::size_t depth) {
    if (at_ == end_ || depth > kJsonDepthMax) return false;
    switch (*at_) {
      case '{':
        return container(depth, '}', true);
      case '[':
        return container(depth, ']', false);
      case '"':
        return string();
      case 't':
        return word("true");
      case 'f':
        return word("false");
      case 'n':
        return word("null");
      default:
        return number();
    }
  }

  bool container(std::size_t depth, char close, bool keyed) {
    ++at_;
    skip_space();
    if (take(close)) return true;
    while (true) {
      if (keyed && !(string() && (skip_space(), take(':')))) return false;
      skip_space();
      if (!value(depth + 1)) return false;
      skip_space();
      if (take(close)) return true;
      if (!take(',')) return false;
      skip_space();
    }
  }

  bool string() {
    if (!take('"')) return false;
    while (at_ != end_) {
      const auto c = static_cast<unsigned char>(*at_++);
      if (c == '"') return true;
      if (c < 0x20) return false;
      if (c == '\\' && !escape()) return false;
    }
    return false;
  }

  bool escape() {
    if (at_ == end_) return false;
    const char c = *at_++;
    if (c != 'u') return std::strchr("\"\\/bfnrt", c) != nullptr && c != '\0';
    for (int i = 0; i < 4; ++i) {
      if (at_ == end_ || !std::isxdigit(static_cast<unsigned char>(*at_++))) return false;
    }
    return true;
  }

  bool number() {
    take('-');
    if (!take('0') && !digits()) return false;
    if (take('.') && !digits()) return false;
    if (take('e') || take('E')) {
      if (!take('+')) take('-');
      return digits();
    }
    return true;
  }

  bool digits() {
    const char* const start = at_;
    while (at_ != end_ && *at_ >= '0' && *at_ <= '9') ++at_;
    return at_ != start;
  }

  bool word(std::string_view expected) {
    if (static_cast<std::size_t>(end_ - at_) < expected.size()) return false;
    if (std::memcmp(at_, expected.data(), expected.size()) != 0) return false;
    at_ += expected.size();
    return true;
  }

  bool take(char c) {
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }

  void skip_space() {
    while (at_ != end_ && kWhiteSpace.contains(*at_)) ++at_;
  }

  const char* at_;
  const char* end_;
};

}  // namespace

struct JsonValidator::Impl {
  simdjson::dom::parser parser;
};

JsonValidator::JsonValidator() : impl_(std::make_unique<Impl>()) {}
JsonValidator::~JsonValidator() = default;

bool JsonValidator::valid(std::string_view text) {
  static_assert(kJsonPadding >= simdjson::SIMDJSON_PADDING);
  const auto error = impl_->parser.parse(text.data(), text.size(), false).error();
  if (error == simdjson::SUCCESS) return true;
  if (error != simdjson::NUMBER_ERROR && error != simdjson::STRING_ERROR &&
      error != simdjson::TAPE_ERROR) {
    return false;
  }
  return matches_json_grammar(text);
}

bool matches_json_grammar(std::string_view text) {
  return Grammar(text).document() && simdjson::validate_utf8(text);
}

std::optional<std::string> decode_json_string(std::string_view literal) {
  if (!literal.contains('\\')) return std::string(literal.substr(1, literal.size() - 2));
  boost::system::error_code error;
  const auto value = boost::json::parse(literal, error);
  if (error || !value.is_string()) return std::nullopt;
  return std::string(value.get_string());
}

std::string utf8_repaired(std::string_view text) {
  if (simdjson::validate_utf8(text)) return std::string(text);
  std::string repaired;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t length = 1;
    while (length <= 4 && i + length <= text.size() &&
           !simdjson::validate_utf8(text.substr(i, length))) {
      ++length;
    }
    const bool good = length <= 4 && i + length <= text.size();
    repaired += good ? text.substr(i, length) : std::string_view("\xEF\xBF\xBD");
    i += good ? length : 1;
  }
  return repaired;
}

std::string encode_json_string(std::string_view text) {
  if (simdjson::validate_utf8(text)) return boost::json::serialize(text);
  return boost::json::serialize(utf8_repaired(text));
}

}  // namespace offpeak
