#include "core/webhook/endpoint_body.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <utility>

#include "core/openai/body_fields.h"
#include "core/webhook/event.h"

namespace offpeak {
namespace {

namespace json = boost::json;

constexpr std::size_t kNameMax = 256;

Status check_event_type(std::string_view name, std::string_view param) {
  if (is_webhook_event_type(name)) return {};
  const auto known = webhook_event_types();
  return unsupported_value(name, {known.begin(), known.end()}, param);
}

Result<std::optional<std::vector<std::string>>> event_types_of(const json::object& body) {
  const json::value* const value = body.if_contains("event_types");
  if (value == nullptr || value->is_null()) return std::nullopt;
  if (!value->is_array()) return wrong_type("event_types", "an array of strings", *value);
  const json::array& names = value->get_array();
  if (names.empty()) {
    return invalid_param(
        "Invalid 'event_types': empty array. Expected an array with minimum length 1, but got an "
        "empty array instead.",
        "empty_array", "event_types");
  }
  std::vector<std::string> types;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string param = fmt::format("event_types[{}]", i);
    if (!names[i].is_string()) return wrong_type(param, "a string", names[i]);
    std::string name(names[i].get_string());
    if (auto ok = check_event_type(name, param); !ok) return std::unexpected(ok.error());
    if (std::ranges::find(types, name) == types.end()) types.push_back(std::move(name));
  }
  return types;
}

Status check_name(const std::string& name) {
  if (name.empty()) {
    return invalid_param(
        "Invalid 'name': empty string. Expected a string with minimum length 1, but got an empty "
        "string instead.",
        "empty_string", "name");
  }
  return check_length(name, kNameMax, "name");
}

Result<EndpointChange> change_of(const json::object& body) {
  auto name = optional_string(body, "name");
  if (!name) return std::unexpected(std::move(name.error()));
  if (*name) {
    if (auto ok = check_name(**name); !ok) return std::unexpected(std::move(ok.error()));
  }
  auto url = optional_string(body, "url");
  if (!url) return std::unexpected(std::move(url.error()));
  auto types = event_types_of(body);
  if (!types) return std::unexpected(std::move(types.error()));
  return EndpointChange{std::move(*name), std::move(*url), std::move(*types)};
}

}  // namespace

Result<EndpointChange> parse_create_endpoint(std::string_view text) {
  auto change = parse_update_endpoint(text);
  if (!change) return change;
  if (!change->name) return missing_param("name");
  if (!change->url) return missing_param("url");
  if (!change->event_types) return missing_param("event_types");
  return change;
}

Result<EndpointChange> parse_update_endpoint(std::string_view text) {
  const auto body = parse_body(text);
  if (!body) return std::unexpected(body.error());
  return change_of(*body);
}

Result<bool> parse_rotate_secret(std::string_view text) {
  if (text.empty()) return false;
  const auto body = parse_body(text);
  if (!body) return std::unexpected(body.error());
  const auto keep = optional_bool(*body, "keep_old_secret_active_for_24_hours");
  if (!keep) return std::unexpected(keep.error());
  return keep->value_or(false);
}

Result<std::string> parse_test_endpoint(std::string_view text) {
  const auto body = parse_body(text);
  if (!body) return std::unexpected(body.error());
  auto type = required_string(*body, "event_type");
  if (!type) return type;
  if (auto ok = check_event_type(*type, "event_type"); !ok) return std::unexpected(ok.error());
  return type;
}

}  // namespace offpeak
