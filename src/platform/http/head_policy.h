// Which request heads are refused before anything looks at them. Stricter than Beast's parser,
// which accepts several forms that two servers in a row may read differently (request smuggling;
// RFC 9112 sections 2.2, 3.2, 5 and 6).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace offpeak::http {

inline constexpr std::size_t kHeadBytesMax = 64 * 1024;
inline constexpr std::size_t kHeadersMax = 100;

/// `head` is everything up to and including the empty line. What is wrong with it, or nullopt. The
/// answer to a bad head is 400, and the connection is closed: where the next request starts is not
/// known.
std::optional<std::string> check_head(std::string_view head);

}  // namespace offpeak::http
