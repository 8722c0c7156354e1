// Base64 and comparing secrets.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace offpeak {

/// Standard alphabet with padding; nullopt for anything else, and for more than `max` characters.
std::optional<std::string> decode_base64(std::string_view text, std::size_t max = 4096);
/// Standard alphabet with padding.
std::string encode_base64(std::string_view bytes);

/// Takes as long whether or where they differ; only the lengths show.
bool constant_time_equal(std::string_view a, std::string_view b);

}  // namespace offpeak
