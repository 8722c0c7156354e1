#include "core/openai/create_batch.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <charconv>
#include <utility>

namespace offpeak {
namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 8> kEndpoints = {
    "/v1/responses",   "/v1/chat/completions",   "/v1/embeddings",   "/v1/completions",
    "/v1/moderations", "/v1/images/generations", "/v1/images/edits", "/v1/videos"};
constexpr std::size_t kMetadataPairsMax = 16;
constexpr std::size_t kMetadataKeyMax = 64;
constexpr std::size_t kMetadataValueMax = 512;

std::unexpected<Error> invalid(std::string message, std::string code, std::string_view param) {
  return fail(ErrorKind::invalid_request, std::move(message), std::move(code), std::string(param));
}

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

std::unexpected<Error> wrong_type(std::string_view param, std::string_view expected,
                                  const json::value& got) {
  return invalid(fmt::format("Invalid type for '{}': expected {}, but got {} instead.", param,
                             expected, kind_name(got)),
                 "invalid_type", param);
}

/// Characters, as users count them.
std::size_t length_of(std::string_view utf8) {
  return static_cast<std::size_t>(std::ranges::count_if(
      utf8, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

Result<std::string> required_string(const json::object& body, std::string_view name) {
  const json::value* const value = body.if_contains(name);
  if (value == nullptr || value->is_null()) {
    return invalid(fmt::format("Missing required parameter: '{}'.", name),
                   "missing_required_parameter", name);
  }
  if (!value->is_string()) return wrong_type(name, "a string", *value);
  return std::string(value->get_string());
}

Status check_endpoint(const std::string& endpoint) {
  if (std::ranges::find(kEndpoints, endpoint) != kEndpoints.end()) return {};
  std::string supported;
  for (std::size_t i = 0; i < kEndpoints.size(); ++i) {
    supported += i == 0 ? "" : (i + 1 == kEndpoints.size() ? ", and " : ", ");
    supported += fmt::format("'{}'", kEndpoints[i]);
  }
  return invalid(fmt::format("Invalid value: '{}'. Supported values are: {}.", endpoint, supported),
                 "invalid_value", "endpoint");
}

Status check_pair(const std::string& key, const json::value& value) {
  const std::string param = fmt::format("metadata.{}", key);
  if (const auto length = length_of(key); length > kMetadataKeyMax) {
    return invalid(fmt::format("Invalid property name in 'metadata': '{}' is too long. Expected a "
                               "string with maximum length {}, but got a string with length {} "
                               "instead.",
                               key, kMetadataKeyMax, length),
                   "property_name_above_max_length", "metadata");
  }
  if (!value.is_string()) return wrong_type(param, "a string", value);
  if (const auto length = length_of(value.get_string()); length > kMetadataValueMax) {
    return invalid(
        fmt::format("Invalid '{}': string too long. Expected a string with maximum length "
                    "{}, but got a string with length {} instead.",
                    param, kMetadataValueMax, length),
        "string_above_max_length", param);
  }
  return {};
}

Result<std::optional<Metadata>> parse_metadata(const json::object& body) {
  const json::value* const value = body.if_contains("metadata");
  if (value == nullptr || value->is_null()) return std::nullopt;
  if (!value->is_object()) return wrong_type("metadata", "an object", *value);
  const auto& object = value->get_object();
  if (object.size() > kMetadataPairsMax) {
    return invalid(
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

Result<std::optional<std::int64_t>> parse_output_expiry(const json::object& body) {
  const json::value* const value = body.if_contains("output_expires_after");
  if (value == nullptr || value->is_null()) return std::nullopt;
  if (!value->is_object()) return wrong_type("output_expires_after", "an object", *value);
  const auto& object = value->get_object();
  for (const std::string_view name : {"anchor", "seconds"}) {
    if (object.contains(name)) continue;
    const std::string param = fmt::format("output_expires_after.{}", name);
    return invalid(fmt::format("Missing required parameter: '{}'.", param),
                   "missing_required_parameter", param);
  }
  const json::value& anchor = object.at("anchor");
  if (!anchor.is_string()) return wrong_type("output_expires_after.anchor", "a string", anchor);
  if (anchor.get_string() != "created_at") {
    return invalid(fmt::format("Invalid value: '{}'. Supported values are: 'created_at'.",
                               std::string_view(anchor.get_string())),
                   "invalid_value", "output_expires_after.anchor");
  }
  const json::value& seconds = object.at("seconds");
  if (!seconds.is_int64()) return wrong_type("output_expires_after.seconds", "an integer", seconds);
  const std::int64_t count = seconds.get_int64();
  if (auto ok = check_expires_after(count, "output_expires_after.seconds"); !ok) {
    return std::unexpected(ok.error());
  }
  return count;
}

}  // namespace

Status check_expires_after(std::int64_t seconds, std::string_view param) {
  if (seconds < kExpiresAfterMin) {
    return invalid(fmt::format("Invalid '{}': integer below minimum value. Expected a value >= {}, "
                               "but got {} instead.",
                               param, kExpiresAfterMin, seconds),
                   "integer_below_min_value", param);
  }
  if (seconds > kExpiresAfterMax) {
    return invalid(fmt::format("Invalid '{}': integer above maximum value. Expected a value <= {}, "
                               "but got {} instead.",
                               param, kExpiresAfterMax, seconds),
                   "integer_above_max_value", param);
  }
  return {};
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
  boost::system::error_code error;
  const json::value document = json::parse(text, error);
  if (error || !document.is_object()) {
    return fail(ErrorKind::invalid_request,
                "We could not parse the JSON body of your request. (HINT: This likely means you "
                "aren't using your HTTP library correctly. The API expects a JSON object.)");
  }
  const json::object& body = document.get_object();
  CreateBatch create;
  for (auto [name, target] : {std::pair("input_file_id", static_cast<std::string*>(nullptr)),
                              std::pair("endpoint", &create.endpoint),
                              std::pair("completion_window", &create.completion_window)}) {
    auto value = required_string(body, name);
    if (!value) return std::unexpected(value.error());
    if (target == nullptr) {
      create.input_file = FileId(std::move(*value));
    } else {
      *target = std::move(*value);
    }
  }
  if (auto ok = check_endpoint(create.endpoint); !ok) return std::unexpected(ok.error());
  const auto window = parse_completion_window(create.completion_window);
  if (!window) {
    return invalid(fmt::format("Invalid value: '{}'. Supported values are: '24h'. Other windows "
                               "from '1h' to '168h' or '1d' to '7d' are accepted too.",
                               create.completion_window),
                   "invalid_value", "completion_window");
  }
  create.window = *window;
  auto metadata = parse_metadata(body);
  if (!metadata) return std::unexpected(metadata.error());
  create.metadata = std::move(*metadata);
  const auto expiry = parse_output_expiry(body);
  if (!expiry) return std::unexpected(expiry.error());
  create.output_expires_after_s = *expiry;
  return create;
}

}  // namespace offpeak
