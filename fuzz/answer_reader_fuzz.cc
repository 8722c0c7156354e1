// An upstream's answer: the verdict is the grammar's, the body stays, the counts are consistent.
#include "core/batch/answer.h"
#include "core/jsonl/json_text.h"
#include "fuzz/fuzz.h"

using offpeak::fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static offpeak::AnswerReader reader;
  const std::string original(offpeak::fuzz::text_of(data, size));
  std::string body = original;
  const auto facts = reader.read(body);
  require(body == original, "the body's bytes stay");
  require(facts.usage.cached_input <= facts.usage.input, "cached tokens are input tokens");
  require(facts.usage.reasoning <= facts.usage.output, "reasoning tokens are output tokens");
  if (offpeak::fuzz::json_depth(original) < offpeak::kJsonDepthMax) {
    require(facts.json_valid == offpeak::matches_json_grammar(original),
            "json_valid agrees with the grammar");
  }
  return 0;
}
