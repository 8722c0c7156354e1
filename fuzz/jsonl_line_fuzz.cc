// Input lines: the fast validator and the plain grammar agree, and the parts of an accepted line
// are JSON texts that lie in it.
#include <array>

#include "core/jsonl/json_text.h"
#include "core/jsonl/line_check.h"
#include "fuzz/fuzz.h"

using offpeak::fuzz::require;

namespace {

std::string_view in_line(offpeak::Slice slice, std::string_view line) {
  require(slice.offset <= line.size() && slice.length <= line.size() - slice.offset,
          "a part lies in its line");
  const auto part = slice.of(line);
  require(offpeak::matches_json_grammar(part), "a part is JSON");
  return part;
}

void check_line(offpeak::LineChecker& checker, std::string_view line, bool valid) {
  const auto checked = checker.check(line);
  if (!checked) {
    require(!checked.error().code.empty() && !checked.error().message.empty(),
            "errors say something");
    require(valid == (checked.error().message != "This line is not parseable as valid JSON."),
            "valid JSON is not called unparseable");
    return;
  }
  require(valid, "an accepted line is valid JSON");
  require(in_line(checked->custom_id, line).starts_with('"'), "custom_id is a string");
  require(in_line(checked->body, line).starts_with('{'), "body is an object");
  in_line(checked->prompt, line);
  if (checked->model.length > 0) in_line(checked->model, line);
  require(checked->inputs <= line.size(), "no more inputs than bytes");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static std::array<offpeak::LineChecker, 3> checkers = {
      offpeak::LineChecker("/v1/chat/completions"), offpeak::LineChecker("/v1/embeddings"),
      offpeak::LineChecker("/v1/moderations")};
  static offpeak::JsonValidator validator;
  std::string padded(offpeak::fuzz::text_of(data, size));
  // What lies behind the line in a real buffer is the next line.
  padded.append(offpeak::kJsonPadding, '}');
  const auto line = std::string_view(padded).substr(0, size);
  const bool valid = validator.valid(line);
  if (offpeak::fuzz::json_depth(line) < offpeak::kJsonDepthMax) {
    require(valid == offpeak::matches_json_grammar(line), "the validators agree");
  }
  for (auto& checker : checkers) check_line(checker, line, valid);
  return 0;
}
