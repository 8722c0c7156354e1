// Is this line of an input file a valid request? All checks of contract section 4 that need one
// line only; what needs the whole file (duplicates, one model) is pipeline/intake's.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "core/jsonl/json_text.h"
#include "core/records/batch.h"
#include "core/records/endpoint.h"

namespace offpeak {

/// A stretch of a line, in bytes from its beginning.
struct Slice {
  std::uint32_t offset = 0;
  std::uint32_t length = 0;

  std::string_view of(std::string_view line) const { return line.substr(offset, length); }
  bool operator==(const Slice&) const = default;
};

/// A valid request line: where its parts are, as raw JSON.
struct CheckedLine {
  Slice custom_id;  // string literal with its quotes
  Slice body;       // object
  Slice model;      // string literal with its quotes; length 0 where the endpoint does without
  /// The value whose bytes decide the dispatch order (messages, prompt, input); else the body.
  Slice prompt;
  std::uint32_t token_estimate = 1;  // of the prompt: a quarter of its bytes
  std::uint32_t inputs = 1;          // embedding inputs in this row
};

class LineChecker {
 public:
  /// `endpoint` is the batch's; of one that is unknown only the line's own form is checked.
  explicit LineChecker(std::string endpoint);

  /// The line's parts, or the first thing wrong with it (LineError::line is left 0).
  /// REQUIRES: kJsonPadding readable bytes behind `line`.
  std::expected<CheckedLine, LineError> check(std::string_view line);
  const EndpointRules& rules() const { return rules_; }

 private:
  std::expected<void, LineError> check_body(std::string_view line, CheckedLine& checked) const;

  std::string endpoint_;
  EndpointRules rules_;
  JsonValidator validator_;
};

}  // namespace offpeak
