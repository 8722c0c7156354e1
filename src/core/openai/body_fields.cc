#include "core/openai/body_fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <cmath>
#include <limits>
#include <utility>

namespace offpeak {
namespace {

namespace json = boost::json;

/// Members we do not know may be nested; the parser's own default of 32 levels is little.
constexpr std::size_t kDepthMax = 256;

std::string_view kind_name(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return "null";
    case json::kind::bool_:
      return "a boolean";
    case json::kind::int64:
    case json::kind::uint64:
      return "an integer";
    case json::kind::double_:
      return "a decimal number";
    case json::kind::string:
      return "a string";
    case json::kind::array:
      return "an array";
    case json::kind::object:
      return "an object";
  }
  std::unreachable();
}

}  // namespace

std::unexpected<Error> invalid_param(std::string message, std::string code,
                                     std::string_view param) {
  return fail(ErrorKind::invalid_request, std::move(message), std::move(code), std::string(param));
}

std::unexpected<Error> missing_param(std::string_view param) {
  return invalid_param(fmt::format("Missing required parameter: '{}'.", param),
                       "missing_required_parameter", param);
}

std::unexpected<Error> wrong_type(std::string_view param, std::string_view expected,
                                  const json::value& got) {
  return invalid_param(fmt::format("Invalid type for '{}': expected {}, but got {} instead.", param,
                                   expected, kind_name(got)),
                       "invalid_type", param);
}

std::unexpected<Error> unsupported_value(std::string_view got,
                                         const std::vector<std::string_view>& supported,
                                         std::string_view param) {
  std::string list;
  for (std::size_t i = 0; i < supported.size(); ++i) {
    if (i != 0) list += i + 1 < supported.size() ? ", " : supported.size() > 2 ? ", and " : " and ";
    list += fmt::format("'{}'", supported[i]);
  }
  return invalid_param(fmt::format("Invalid value: '{}'. Supported values are: {}.", got, list),
                       "invalid_value", param);
}

Result<json::object> parse_body(std::string_view text) {
  boost::system::error_code error;
  json::value document = json::parse(text, error, {}, {.max_depth = kDepthMax});
  if (error || !document.is_object()) {
    return fail(ErrorKind::invalid_request,
                "We could not parse the JSON body of your request. (HINT: This likely means you "
                "aren't using your HTTP library correctly. The API expects a JSON object.)");
  }
  return std::move(document.get_object());
}

Result<std::string> required_string(const json::object& body, std::string_view name) {
  auto value = optional_string(body, name);
  if (!value) return std::unexpected(std::move(value.error()));
  if (*value) return std::move(**value);
  return missing_param(name);
}

Result<std::optional<std::string>> optional_string(const json::object& body,
                                                   std::string_view name) {
  const json::value* const value = body.if_contains(name);
  if (value == nullptr || value->is_null()) return std::nullopt;
  if (!value->is_string()) return wrong_type(name, "a string", *value);
  return std::string(value->get_string());
}

Result<std::optional<bool>> optional_bool(const json::object& body, std::string_view name) {
  const json::value* const value = body.if_contains(name);
  if (value == nullptr || value->is_null()) return std::nullopt;
  if (!value->is_bool()) return wrong_type(name, "a boolean", *value);
  return value->get_bool();
}

std::optional<std::int64_t> integer_of(const json::value& value) {
  constexpr double kBeyondFractions = 1e18;
  constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
  if (value.is_int64()) return value.get_int64();
  if (value.is_uint64()) return kMax;
  // The parser makes a decimal of what 64 bits cannot hold.
  if (!value.is_double() || !(std::abs(value.get_double()) >= kBeyondFractions)) {
    return std::nullopt;
  }
  return value.get_double() > 0 ? kMax : std::numeric_limits<std::int64_t>::min();
}

Status check_length(std::string_view text, std::size_t max, std::string_view param) {
  const auto length = length_of(text);
  if (length <= max) return {};
  return invalid_param(fmt::format("Invalid '{}': string too long. Expected a string with maximum "
                                   "length {}, but got a string with length {} instead.",
                                   param, max, length),
                       "string_above_max_length", param);
}

std::size_t length_of(std::string_view utf8) {
  return static_cast<std::size_t>(std::ranges::count_if(
      utf8, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

}  // namespace offpeak
