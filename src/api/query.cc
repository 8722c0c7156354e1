#include "api/query.h"

#include <fmt/format.h>

#include <charconv>

#include "platform/http/url.h"

namespace offpeak {
namespace {

Result<std::uint32_t> parse_limit(const std::string& text, std::uint32_t max) {
  const auto invalid = [](std::string message, std::string code) {
    return fail(ErrorKind::invalid_request, std::move(message), std::move(code), "limit");
  };
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size() ||
      (error != std::errc() && error != std::errc::result_out_of_range)) {
    return invalid(
        fmt::format("Invalid type for 'limit': expected an integer, but got '{}' instead.", text),
        "invalid_type");
  }
  if (error == std::errc::result_out_of_range)
    value = text.starts_with('-') ? INT64_MIN : INT64_MAX;
  if (value < 1) {
    return invalid(
        fmt::format("Invalid 'limit': integer below minimum value. Expected a value >= 1, "
                    "but got {} instead.",
                    text),
        "integer_below_min_value");
  }
  if (value > max) {
    return invalid(
        fmt::format("Invalid 'limit': integer above maximum value. Expected a value <= {}, "
                    "but got {} instead.",
                    max, text),
        "integer_above_max_value");
  }
  return static_cast<std::uint32_t>(value);
}

}  // namespace

Result<ListQuery> parse_list_query(std::string_view query, const ListRules& rules) {
  const auto pairs = http::parse_query(query);
  ListQuery list{.after = http::query_value(pairs, "after").value_or(""),
                 .limit = rules.limit_default};
  if (const auto limit = http::query_value(pairs, "limit")) {
    const auto parsed = parse_limit(*limit, rules.limit_max);
    if (!parsed) return std::unexpected(parsed.error());
    list.limit = *parsed;
  }
  if (const auto order = http::query_value(pairs, "order"); order && rules.ordered) {
    if (*order != "asc" && *order != "desc") {
      return fail(
          ErrorKind::invalid_request,
          fmt::format("Invalid value: '{}'. Supported values are: 'asc' and 'desc'.", *order),
          "invalid_value", "order");
    }
    list.order = *order == "asc" ? SortOrder::oldest_first : SortOrder::newest_first;
  }
  if (rules.purposes) list.purpose = http::query_value(pairs, "purpose").value_or("");
  return list;
}

}  // namespace offpeak
