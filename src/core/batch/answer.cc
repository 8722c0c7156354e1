#include "core/batch/answer.h"

#include <simdjson.h>

#include <algorithm>

#include "core/jsonl/json_scan.h"
#include "core/jsonl/json_text.h"

namespace offpeak {
namespace {

/// Above this a count is nonsense (and the ledger has 32 bits for it).
constexpr std::uint64_t kTokensMax = 0xFFFF'FFFF;

std::uint64_t count(const simdjson::dom::object& object, std::string_view chat_name,
                    std::string_view responses_name) {
  for (const auto name : {chat_name, responses_name}) {
    std::uint64_t value = 0;
    if (object.at_key(name).get(value) == simdjson::SUCCESS) return value <= kTokensMax ? value : 0;
  }
  return 0;
}

std::uint64_t detail(const simdjson::dom::object& usage, std::string_view chat_details,
                     std::string_view responses_details, std::string_view name) {
  for (const auto details : {chat_details, responses_details}) {
    simdjson::dom::object object;
    if (usage.at_key(details).get(object) == simdjson::SUCCESS) return count(object, name, name);
  }
  return 0;
}

TokenUsage usage_of(const simdjson::dom::object& usage) {
  TokenUsage tokens{.input = count(usage, "prompt_tokens", "input_tokens"),
                    .output = count(usage, "completion_tokens", "output_tokens")};
  tokens.cached_input = std::min(tokens.input, detail(usage, "prompt_tokens_details",
                                                      "input_tokens_details", "cached_tokens"));
  tokens.reasoning = std::min(tokens.output, detail(usage, "completion_tokens_details",
                                                    "output_tokens_details", "reasoning_tokens"));
  return tokens;
}

/// The value of the top-level member "usage", found without building values.
std::string_view raw_usage(const std::string& valid_json) {
  const char* const start = skip_json_space(valid_json.c_str());
  if (*start != '{') return {};
  JsonMembers members(start);
  while (members.next()) {
    if (members.key() == "usage") return members.value();
  }
  return {};
}

}  // namespace

struct AnswerReader::Impl {
  simdjson::dom::parser parser;
};

AnswerReader::AnswerReader() : impl_(std::make_unique<Impl>()) {}
AnswerReader::~AnswerReader() = default;

AnswerFacts AnswerReader::read(std::string& body) {
  const std::size_t size = body.size();
  // The padding is real, zeroed memory while parsing, so that no tool sees a read out of bounds.
  body.append(kJsonPadding, '\0');
  simdjson::dom::element answer;
  const auto error = impl_->parser.parse(body.data(), size, false).get(answer);
  AnswerFacts facts{.json_valid = error == simdjson::SUCCESS};
  simdjson::dom::object object;
  if (facts.json_valid) {
    if (answer.at_key("usage").get(object) == simdjson::SUCCESS) facts.usage = usage_of(object);
  } else if (matches_json_grammar(std::string_view(body).substr(0, size))) {
    // Valid all the same: a number or an escape somewhere is beyond what the parser represents.
    facts.json_valid = true;
    const simdjson::padded_string usage(raw_usage(body));
    if (impl_->parser.parse(usage).get(object) == simdjson::SUCCESS) facts.usage = usage_of(object);
  }
  body.resize(size);
  return facts;
}

}  // namespace offpeak
