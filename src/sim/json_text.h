// Writing JSON text, and the rewrites of a finished JSON object that some faults need.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace offpeak::sim {

/// Appends `text` with JSON escapes, without the quotes.
void append_escaped(std::string_view text, std::string& out);
std::string json_string(std::string_view text);

/// `object` indented by two spaces with CRLF line ends.
std::string pretty_printed(std::string_view object);
/// `object` with members in front whose bytes do not survive parse and print.
std::string with_odd_members(std::string_view object);
/// `object` with a last member "padding" that makes it `bytes` longer (and 13 bytes of its own).
std::string with_padding(std::string_view object, std::size_t bytes);

}  // namespace offpeak::sim
