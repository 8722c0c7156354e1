// API keys: "opk_" + 30 random base62 characters (178 bits) + 6 characters of checksum, so that a
// mistyped or foreign key is refused without a look-up and secret scanners can tell ours.
#pragma once

#include <string>
#include <string_view>

#include "base/random.h"

namespace offpeak {

std::string make_api_key(Random& random);

/// Whether prefix, alphabet, length and checksum fit.
bool is_well_formed_api_key(std::string_view key);

/// What may be shown of a key: its first and last few characters.
std::string redacted_key(std::string_view key);

/// SHA-256 as 64 lower-case hex digits. Keys are random, so no salt is needed.
std::string sha256_hex(std::string_view bytes);

}  // namespace offpeak
