#include "core/openai/uploads.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <unordered_set>
#include <utility>

#include "core/openai/body_fields.h"
#include "core/openai/create_batch.h"

namespace offpeak {
namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 6> kPurposes = {"fine-tune", "assistants", "batch",
                                                       "user_data", "vision",     "evals"};
constexpr std::size_t kMimeTypeMax = 256;

Result<std::uint64_t> parse_bytes(const json::object& body, std::uint64_t bytes_max) {
  const json::value* const value = body.if_contains("bytes");
  if (value == nullptr || value->is_null()) return missing_param("bytes");
  const auto bytes = integer_of(*value);
  if (!bytes) return wrong_type("bytes", "an integer", *value);
  if (*bytes < 0) {
    return invalid_param(fmt::format("Invalid 'bytes': integer below minimum value. Expected a "
                                     "value >= 0, but got {} instead.",
                                     *bytes),
                         "integer_below_min_value", "bytes");
  }
  if (std::cmp_greater(*bytes, bytes_max)) {
    return invalid_param(fmt::format("Invalid 'bytes': integer above maximum value. Expected a "
                                     "value <= {} (limits.upload_bytes), but got {} instead.",
                                     bytes_max, *bytes),
                         "integer_above_max_value", "bytes");
  }
  return static_cast<std::uint64_t>(*bytes);
}

Result<std::vector<PartId>> parse_part_ids(const json::object& body) {
  const json::value* const value = body.if_contains("part_ids");
  if (value == nullptr || value->is_null()) return missing_param("part_ids");
  if (!value->is_array()) return wrong_type("part_ids", "an array", *value);
  std::vector<PartId> parts;
  std::unordered_set<std::string_view> seen;
  for (const json::value& id : value->get_array()) {
    const std::string param = fmt::format("part_ids[{}]", parts.size());
    if (!id.is_string()) return wrong_type(param, "a string", id);
    if (!seen.insert(id.get_string()).second) {
      return invalid_param(
          fmt::format("Invalid 'part_ids': '{}' is listed twice.", std::string(id.get_string())),
          "invalid_value", "part_ids");
    }
    parts.emplace_back(std::string(id.get_string()));
  }
  return parts;
}

}  // namespace

Status check_purpose(std::string_view purpose) {
  if (std::ranges::find(kPurposes, purpose) != kPurposes.end()) return {};
  return invalid_param(fmt::format("'{}' is not one of ['fine-tune', 'assistants', 'batch', "
                                   "'user_data', 'vision', 'evals'] - 'purpose'",
                                   purpose),
                       "", "purpose");
}

Result<CreateUpload> parse_create_upload(std::string_view text, std::uint64_t bytes_max) {
  const auto body = parse_body(text);
  if (!body) return std::unexpected(body.error());
  CreateUpload create;
  for (auto [name, target] :
       {std::pair("filename", &create.filename), std::pair("purpose", &create.purpose),
        std::pair("mime_type", &create.mime_type)}) {
    auto value = required_string(*body, name);
    if (!value) return std::unexpected(value.error());
    *target = std::move(*value);
  }
  const auto bytes = parse_bytes(*body, bytes_max);
  if (!bytes) return std::unexpected(bytes.error());
  create.bytes = *bytes;
  if (auto ok = check_purpose(create.purpose); !ok) return std::unexpected(ok.error());
  if (auto ok = check_length(create.mime_type, kMimeTypeMax, "mime_type"); !ok) {
    return std::unexpected(ok.error());
  }
  const auto expiry = parse_expires_after(*body, "expires_after");
  if (!expiry) return std::unexpected(expiry.error());
  create.expires_after_s = *expiry;
  return create;
}

Result<CompleteUpload> parse_complete_upload(std::string_view text) {
  const auto body = parse_body(text);
  if (!body) return std::unexpected(body.error());
  auto parts = parse_part_ids(*body);
  if (!parts) return std::unexpected(parts.error());
  auto md5 = optional_string(*body, "md5");
  if (!md5) return std::unexpected(md5.error());
  return CompleteUpload{std::move(*parts), std::move(*md5)};
}

}  // namespace offpeak
