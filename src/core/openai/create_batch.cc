#include "core/openai/create_batch.h"

#include <fmt/format.h>

#include <charconv>
#include <utility>

#include "core/openai/body_fields.h"
#include "core/records/endpoint.h"

namespace offpeak {
namespace {

namespace json = boost::json;

constexpr std::size_t kFileIdMax = 512;
constexpr std::size_t kMetadataPairsMax = 16;
constexpr std::size_t kMetadataKeyMax = 64;
constexpr std::size_t kMetadataValueMax = 512;

Status check_endpoint(const std::string& endpoint) {
  if (find_endpoint(endpoint) != nullptr) return {};
  std::vector<std::string_view> supported;
  for (const EndpointRules& rules : endpoints()) supported.push_back(rules.path);
  return unsupported_value(endpoint, supported, "endpoint");
}

Status check_pair(const std::string& key, const json::value& value) {
  const std::string param = fmt::format("metadata.{}", key);
  if (const auto length = length_of(key); length > kMetadataKeyMax) {
    return invalid_param(
        fmt::format("Invalid property name in 'metadata': '{}' is too long. Expected a "
                    "string with maximum length {}, but got a string with length {} "
                    "instead.",
                    key, kMetadataKeyMax, length),
        "property_name_above_max_length", "metadata");
  }
  if (!value.is_string()) return wrong_type(param, "a string", value);
  return check_length(value.get_string(), kMetadataValueMax, param);
}

Result<std::optional<Metadata>> parse_metadata(const json::object& body) {
  const json::value* const value = body.if_contains("metadata");
  if (value == nullptr || value->is_null()) return std::nullopt;
  if (!value->is_object()) return wrong_type("metadata", "an object", *value);
  const auto& object = value->get_object();
  if (object.size() > kMetadataPairsMax) {
    return invalid_param(
        fmt::format("Invalid 'metadata': too many properties. Expected an object with at "
                    "most {} properties, but got an object with {} properties instead.",
                    kMetadataPairsMax, object.size()),
        "object_above_max_properties", "metadata");
  }
  Metadata metadata;
  for (const auto& [key, text] : object) {
    if (auto ok = check_pair(std::string(key), text); !ok) return std::unexpected(ok.error());
    metadata.emplace_back(key, text.get_string());
  }
  return metadata;
}

/// The members every batch needs, each a string.
Status read_names(const json::object& body, CreateBatch& create) {
  std::string input_file;
  for (auto [name, target] :
       {std::pair("input_file_id", &input_file), std::pair("endpoint", &create.endpoint),
        std::pair("completion_window", &create.completion_window)}) {
    auto value = required_string(body, name);
    if (!value) return std::unexpected(value.error());
    *target = std::move(*value);
  }
  if (auto ok = check_length(input_file, kFileIdMax, "input_file_id"); !ok) return ok;
  create.input_file = FileId(std::move(input_file));
  if (auto ok = check_endpoint(create.endpoint); !ok) return ok;
  const auto window = parse_completion_window(create.completion_window);
  if (!window) {
    return invalid_param(
        fmt::format("Invalid value: '{}'. Supported values are: '24h'. Other windows "
                    "from '1h' to '168h' or '1d' to '7d' are accepted too.",
                    create.completion_window),
        "invalid_value", "completion_window");
  }
  create.window = *window;
  return {};
}

}  // namespace

Status check_expires_after(std::int64_t seconds, std::string_view param) {
  if (seconds < kExpiresAfterMin) {
    return invalid_param(
        fmt::format("Invalid '{}': integer below minimum value. Expected a value >= {}, "
                    "but got {} instead.",
                    param, kExpiresAfterMin, seconds),
        "integer_below_min_value", param);
  }
  if (seconds > kExpiresAfterMax) {
    return invalid_param(
        fmt::format("Invalid '{}': integer above maximum value. Expected a value <= {}, "
                    "but got {} instead.",
                    param, kExpiresAfterMax, seconds),
        "integer_above_max_value", param);
  }
  return {};
}

Result<std::optional<std::int64_t>> parse_expires_after(const json::object& body,
                                                        std::string_view name) {
  const json::value* const value = body.if_contains(name);
  if (value == nullptr || value->is_null()) return std::nullopt;
  if (!value->is_object()) return wrong_type(name, "an object", *value);
  const auto& object = value->get_object();
  for (const std::string_view member : {"anchor", "seconds"}) {
    if (object.contains(member)) continue;
    return missing_param(fmt::format("{}.{}", name, member));
  }
  const std::string anchor_param = fmt::format("{}.anchor", name);
  const json::value& anchor = object.at("anchor");
  if (!anchor.is_string()) return wrong_type(anchor_param, "a string", anchor);
  if (anchor.get_string() != "created_at") {
    return unsupported_value(anchor.get_string(), {"created_at"}, anchor_param);
  }
  const std::string seconds_param = fmt::format("{}.seconds", name);
  const json::value& seconds = object.at("seconds");
  const auto count = integer_of(seconds);
  if (!count) return wrong_type(seconds_param, "an integer", seconds);
  if (auto ok = check_expires_after(*count, seconds_param); !ok) {
    return std::unexpected(ok.error());
  }
  return *count;
}

std::optional<std::chrono::seconds> parse_completion_window(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const char unit = text.back();
  std::int64_t count = 0;
  const char* const end = text.data() + text.size() - 1;
  const auto parsed = std::from_chars(text.data(), end, count);
  if (parsed.ec != std::errc() || parsed.ptr != end || text.front() == '-') return std::nullopt;
  if ((unit != 'h' && unit != 'd') || count < 1 || count > 168) return std::nullopt;
  const std::int64_t hours = unit == 'd' ? 24 * count : count;
  if (hours > 168) return std::nullopt;
  return std::chrono::hours(hours);
}

Result<CreateBatch> parse_create_batch(std::string_view text) {
  const auto parsed = parse_body(text);
  if (!parsed) return std::unexpected(parsed.error());
  const json::object& body = *parsed;
  CreateBatch create;
  if (auto ok = read_names(body, create); !ok) return std::unexpected(ok.error());
  auto metadata = parse_metadata(body);
  if (!metadata) return std::unexpected(metadata.error());
  create.metadata = std::move(*metadata);
  const auto expiry = parse_expires_after(body, "output_expires_after");
  if (!expiry) return std::unexpected(expiry.error());
  create.output_expires_after_s = *expiry;
  return create;
}

}  // namespace offpeak
