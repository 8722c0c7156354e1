#include "core/jsonl/line_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "core/jsonl/json_scan.h"

namespace offpeak {
namespace {

std::unexpected<LineError> refuse(std::string code, std::string message, std::string_view param) {
  return std::unexpected(LineError{
      .code = std::move(code), .message = std::move(message), .param = std::string(param)});
}

std::unexpected<LineError> missing(std::string_view param) {
  return refuse("missing_required_parameter",
                fmt::format("Missing required parameter: '{}'.", param), param);
}

std::unexpected<LineError> twice(std::string_view param) {
  return refuse("invalid_request",
                fmt::format("The member '{}' appears twice in this line.", param), param);
}

Slice slice_of(std::string_view line, std::string_view part) {
  return {static_cast<std::uint32_t>(part.data() - line.data()),
          static_cast<std::uint32_t>(part.size())};
}

/// Keys are compared decoded, since "custom_id" may be spelled with escapes.
bool key_is(std::string_view raw_key, std::string_view name) {
  if (raw_key == name) return true;
  if (!raw_key.contains('\\')) return false;
  return decode_json_string(fmt::format("\"{}\"", raw_key)) == name;
}

/// Picks the values of some members of an object; a member that appears twice is an error.
template <std::size_t N>
std::expected<std::array<std::string_view, N>, LineError> pick(
    const char* object, const std::array<std::string_view, N>& names, std::string_view prefix) {
  std::array<std::string_view, N> values{};
  JsonMembers members(object);
  while (members.next()) {
    for (std::size_t i = 0; i < N; ++i) {
      if (names[i].empty() || !key_is(members.key(), names[i])) continue;
      if (!values[i].empty()) return twice(fmt::format("{}{}", prefix, names[i]));
      values[i] = members.value();
    }
  }
  return values;
}

/// A member that is null counts as absent.
std::string_view present(std::string_view value) {
  return value == "null" ? std::string_view() : value;
}

std::uint32_t count_inputs(std::string_view input) {
  if (!input.starts_with('[')) return 1;
  const char* at = skip_json_space(input.data() + 1);
  if (*at != '"' && *at != '[') return 1;  // one input, given as tokens
  std::uint32_t count = 0;
  while (*at != ']') {
    ++count;
    at = skip_json_space(skip_json_value(at));
    if (*at == ',') at = skip_json_space(at + 1);
  }
  return count;
}

std::expected<void, LineError> check_custom_id(std::string_view literal) {
  if (literal.empty()) return missing("custom_id");
  if (!literal.starts_with('"')) {
    return refuse("invalid_custom_id", "The custom_id must be a string.", "custom_id");
  }
  if (literal.size() == 2) {
    return refuse("invalid_custom_id", "The custom_id must not be empty.", "custom_id");
  }
  return {};
}

std::expected<void, LineError> check_method(std::string_view literal) {
  if (literal.empty()) return missing("method");
  if (!literal.starts_with('"') || decode_json_string(literal) != "POST") {
    return refuse("invalid_method",
                  fmt::format("Invalid method: {}. The only supported method is POST.", literal),
                  "method");
  }
  return {};
}

std::expected<void, LineError> check_url(std::string_view literal, std::string_view endpoint) {
  if (literal.empty()) return missing("url");
  const std::string url =
      literal.starts_with('"') ? decode_json_string(literal).value_or("") : std::string(literal);
  if (find_endpoint(url) == nullptr) {
    return refuse("url_not_found",
                  fmt::format("The provided url '{}' is not supported by the Batch API.", url),
                  "url");
  }
  if (url != endpoint) {
    return refuse("invalid_url",
                  "The URL provided for this request does not match the batch endpoint.", "url");
  }
  return {};
}

}  // namespace

LineChecker::LineChecker(std::string endpoint) : endpoint_(std::move(endpoint)) {
  const EndpointRules* const known = find_endpoint(endpoint_);
  rules_ =
      known != nullptr ? *known : EndpointRules{.prompt_required = false, .model_required = false};
}

std::expected<CheckedLine, LineError> LineChecker::check(std::string_view line) {
  if (!validator_.valid(line)) {
    return refuse("invalid_json_line", "This line is not parseable as valid JSON.", "");
  }
  const char* const object = skip_json_space(line.data());
  if (*object != '{') {
    return refuse("invalid_json_line", "This line is valid JSON but not an object.", "");
  }
  static constexpr std::array<std::string_view, 4> kMembers = {"custom_id", "method", "url",
                                                               "body"};
  const auto members = pick(object, kMembers, "");
  if (!members) return std::unexpected(members.error());
  const auto& [custom_id, method, url, body] = *members;
  if (auto ok = check_custom_id(custom_id); !ok) return std::unexpected(ok.error());
  if (auto ok = check_method(method); !ok) return std::unexpected(ok.error());
  if (auto ok = check_url(url, endpoint_); !ok) return std::unexpected(ok.error());
  if (body.empty()) return missing("body");
  if (!body.starts_with('{')) {
    return refuse("invalid_request", "The body must be a JSON object.", "body");
  }
  CheckedLine checked{.custom_id = slice_of(line, custom_id), .body = slice_of(line, body)};
  if (auto ok = check_body(line, checked); !ok) return std::unexpected(ok.error());
  return checked;
}

std::expected<void, LineError> LineChecker::check_body(std::string_view line,
                                                       CheckedLine& checked) const {
  const char* const body = line.data() + checked.body.offset;
  const auto members =
      pick(body, std::array<std::string_view, 3>{"model", "stream", rules_.prompt}, "body.");
  if (!members) return std::unexpected(members.error());
  const auto& [given_model, stream, given_prompt] = *members;
  const std::string_view model = present(given_model);
  const std::string_view prompt = present(given_prompt);
  if (model.empty() ? rules_.model_required : (!model.starts_with('"') || model.size() == 2)) {
    return refuse("invalid_request",
                  model.empty() ? "Model parameter is required."
                                : "The model parameter must be a string that is not empty.",
                  "body.model");
  }
  if (prompt.empty() && rules_.prompt_required) {
    return refuse("invalid_request", fmt::format("{} parameter is required.", rules_.prompt_name),
                  fmt::format("body.{}", rules_.prompt));
  }
  if (stream == "true") {
    return refuse("streaming_unsupported",
                  fmt::format("{}: Streaming is not supported in the Batch API.", rules_.name),
                  "body.stream");
  }
  if (!model.empty()) checked.model = slice_of(line, model);
  checked.prompt = prompt.empty() ? checked.body : slice_of(line, prompt);
  checked.token_estimate = std::max<std::uint32_t>(1, checked.prompt.length / 4);
  if (rules_.counts_inputs) checked.inputs = count_inputs(prompt);
  return {};
}

}  // namespace offpeak
