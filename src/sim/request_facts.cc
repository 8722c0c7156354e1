#include "sim/request_facts.h"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

namespace offpeak::sim {
namespace {

namespace ondemand = simdjson::ondemand;
using Value = ondemand::value;

void keep_text(std::string_view text, std::string& out) {
  std::size_t size = std::min(text.size(), kEchoBytes);
  while (size < text.size() && size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80)
    --size;
  out.assign(text.substr(0, size));
}

std::optional<std::uint32_t> count(Value value) {
  std::uint64_t number = 0;
  if (value.get_uint64().get(number)) return std::nullopt;
  return static_cast<std::uint32_t>(
      std::min<std::uint64_t>(number, std::numeric_limits<std::uint32_t>::max()));
}

bool flag(Value value) {
  bool set = false;
  return !value.get_bool().get(set) && set;
}

void read_parts(ondemand::array parts, RequestFacts& facts) {
  for (auto element : parts) {
    ondemand::object part;
    std::string_view text;
    if (element.get_object().get(part)) return;
    if (!part.find_field_unordered("text").get_string().get(text)) keep_text(text, facts.last_text);
  }
}

void read_messages(Value value, RequestFacts& facts) {
  ondemand::array messages;
  if (value.get_array().get(messages)) return;
  for (auto element : messages) {
    ondemand::object message;
    if (element.get_object().get(message)) return;
    Value content;
    if (message.find_field_unordered("content").get(content)) continue;
    std::string_view text;
    ondemand::array parts;
    if (!content.get_string().get(text)) {
      keep_text(text, facts.last_text);
    } else if (!content.get_array().get(parts)) {
      read_parts(parts, facts);
    }
  }
}

void read_input(Value value, RequestFacts& facts) {
  std::string_view text;
  if (!value.get_string().get(text)) {
    keep_text(text, facts.last_text);
    return;
  }
  ondemand::array inputs;
  if (value.get_array().get(inputs)) return;
  std::uint32_t items = 0;
  bool token_ids = false;
  for (auto element : inputs) {
    Value item;
    if (element.get(item)) return;
    ondemand::json_type type;
    if (item.type().get(type)) return;
    token_ids |= type == ondemand::json_type::number;
    if (!item.get_string().get(text)) keep_text(text, facts.last_text);
    ++items;
  }
  facts.inputs = token_ids ? 1 : std::max(items, 1u);
}

void read_member(std::string_view key, Value value, RequestFacts& facts) {
  std::string_view text;
  if (key == "model") {
    if (!value.get_string().get(text)) facts.model = text;
  } else if (key == "messages") {
    read_messages(value, facts);
  } else if (key == "prompt" || key == "input") {
    read_input(value, facts);
  } else if (key == "max_tokens" || key == "max_completion_tokens" || key == "max_output_tokens") {
    facts.max_tokens = count(value);
  } else if (key == "stream") {
    facts.stream = flag(value);
  } else if (key == "stream_options") {
    ondemand::object options;
    bool include = false;
    if (!value.get_object().get(options) &&
        !options.find_field_unordered("include_usage").get_bool().get(include)) {
      facts.include_usage = include;
    }
  } else if (key == "encoding_format") {
    facts.base64 = !value.get_string().get(text) && text == "base64";
  } else if (key == "n") {
    facts.images = count(value).value_or(1);
  } else if (key == "dimensions") {
    facts.dimensions = count(value);
  }
}

bool read_members(ondemand::parser& parser, std::string_view body, RequestFacts& facts) {
  const simdjson::padded_string_view padded(body, body.size() + simdjson::SIMDJSON_PADDING);
  ondemand::document document;
  ondemand::object object;
  if (parser.iterate(padded).get(document) || document.get_object().get(object)) return false;
  for (auto member : object) {
    std::string_view key;
    Value value;
    if (member.unescaped_key().get(key) || member.value().get(value)) return false;
    if (key == "messages" || key == "prompt" || key == "input") {
      facts.prompt_at = static_cast<std::size_t>(value.raw_json_token().data() - body.data());
    }
    read_member(key, value, facts);
  }
  return true;
}

}  // namespace

namespace {

/// A field's text; the boundary is whatever line the body begins with.
std::string_view form_field(std::string_view body, std::string_view name) {
  const auto boundary = "\r\n" + std::string(body.substr(0, body.find("\r\n")));
  const auto disposition = "name=\"" + std::string(name) + "\"\r\n";
  const auto found = body.find(disposition);
  if (found == std::string_view::npos) return {};
  const auto begin = body.find("\r\n\r\n", found + disposition.size() - 2);
  if (begin == std::string_view::npos) return {};
  return body.substr(begin + 4, body.find(boundary, begin) - begin - 4);
}

}  // namespace

void read_form_facts(std::string_view body, RequestFacts& facts) {
  facts = RequestFacts{};
  facts.valid = body.starts_with("--") && body.contains("form-data");
  facts.model = form_field(body, "model");
  keep_text(form_field(body, "prompt"), facts.last_text);
  const auto images = form_field(body, "n");
  std::from_chars(images.data(), images.data() + images.size(), facts.images);
}

void read_request_facts(std::string_view body, RequestFacts& facts) {
  static_assert(simdjson::SIMDJSON_PADDING <= 64);
  thread_local ondemand::parser parser;
  auto model = std::move(facts.model);
  auto text = std::move(facts.last_text);
  facts = RequestFacts{};
  model.clear();
  text.clear();
  facts.model = std::move(model);
  facts.last_text = std::move(text);
  facts.valid = read_members(parser, body, facts);
}

}  // namespace offpeak::sim
