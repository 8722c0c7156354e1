// Percent-encoding and query strings of request targets.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace offpeak::http {

/// "%41+b" -> "A+b"; nullopt if an escape is broken or stands for NUL.
std::optional<std::string> percent_decode(std::string_view text);

/// Everything but unreserved characters escaped.
std::string percent_encode(std::string_view text);

/// The pairs of a query string, decoded ("+" is a space), in order. Pairs with broken escapes are
/// left out.
using QueryPairs = std::vector<std::pair<std::string, std::string>>;
QueryPairs parse_query(std::string_view query);

/// The value of the first pair of that name; an empty value counts as absent, as Node's SDK sends
/// null parameters that way.
std::optional<std::string> query_value(const QueryPairs& pairs, std::string_view name);

}  // namespace offpeak::http
