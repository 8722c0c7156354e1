// Members of JSON request bodies, with the errors OpenAI's service gives (contract section 3.8).
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace offpeak {

/// invalid_request.
std::unexpected<Error> invalid_param(std::string message, std::string code, std::string_view param);
/// "Missing required parameter: 'x'."
std::unexpected<Error> missing_param(std::string_view param);
/// "Invalid type for 'x': expected a string, but got an array instead."
std::unexpected<Error> wrong_type(std::string_view param, std::string_view expected,
                                  const boost::json::value& got);
/// "Invalid value: 'x'. Supported values are: 'a', 'b', and 'c'."
std::unexpected<Error> unsupported_value(std::string_view got,
                                         const std::vector<std::string_view>& supported,
                                         std::string_view param);

/// The body, which must be one JSON object; of a member that appears twice the last counts.
Result<boost::json::object> parse_body(std::string_view text);

/// A member that is null counts as absent.
Result<std::string> required_string(const boost::json::object& body, std::string_view name);
Result<std::optional<std::string>> optional_string(const boost::json::object& body,
                                                   std::string_view name);
Result<std::optional<bool>> optional_bool(const boost::json::object& body, std::string_view name);

/// Of a number without fractions; one beyond 64 bits counts as the greatest there is.
std::optional<std::int64_t> integer_of(const boost::json::value& value);

/// string_above_max_length if `text` is longer than `max` characters.
Status check_length(std::string_view text, std::size_t max, std::string_view param);

/// Characters, as users count them.
std::size_t length_of(std::string_view utf8);

}  // namespace offpeak
