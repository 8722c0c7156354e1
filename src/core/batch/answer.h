// Reading an upstream's answer body: is it JSON, and which token usage does it report?
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/records/usage.h"

namespace offpeak {

struct AnswerFacts {
  bool json_valid = false;
  TokenUsage usage;  // zeros where absent or not a sensible number
};

/// Reusable; one per thread. Counts are read under both spellings, chat's (prompt_tokens, …) and
/// responses' (input_tokens, …); contract section 9.2.
class AnswerReader {
 public:
  AnswerReader();
  ~AnswerReader();

  /// Extends `body`'s capacity for the parser's padding; its bytes stay.
  AnswerFacts read(std::string& body);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace offpeak
