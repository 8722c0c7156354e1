// JSON as bytes: is this text valid, and what does this string literal say? Bytes that we pass
// through are judged by the grammar of RFC 8259 alone, so numbers of any size and lone surrogate
// escapes, which parsers that build values refuse, are valid here.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace offpeak {

/// Bytes that must be readable (any content) behind a text given to JsonValidator.
inline constexpr std::size_t kJsonPadding = 64;

/// Values nested deeper than this are refused as invalid.
inline constexpr std::size_t kJsonDepthMax = 1024;

/// Reusable validator; keeps its scratch memory between calls. One per thread.
class JsonValidator {
 public:
  JsonValidator();
  ~JsonValidator();

  /// Whether `text` is exactly one JSON value in UTF-8, white space around it allowed.
  /// REQUIRES: kJsonPadding readable bytes behind `text`.
  bool valid(std::string_view text);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The grammar check behind JsonValidator for the texts its fast parser refuses; needs no padding.
bool matches_json_grammar(std::string_view text);

/// The text a JSON string literal (with its quotes) stands for, in UTF-8; nullopt if a \u escape is
/// a lone surrogate. REQUIRES: a valid literal.
std::optional<std::string> decode_json_string(std::string_view literal);

/// `text` with bytes that are not UTF-8 replaced by U+FFFD.
std::string utf8_repaired(std::string_view text);

/// `text` as a JSON string literal with its quotes; bytes that are not UTF-8 become U+FFFD.
std::string encode_json_string(std::string_view text);

}  // namespace offpeak
