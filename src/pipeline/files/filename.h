// The name a file is stored under, made from what the client sent with it.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace offpeak {

/// In bytes. A name comes back in a header, escaped to three times its length.
inline constexpr std::size_t kFilenameBytesMax = 1024;

/// The base name, whichever slash parts it; what is not UTF-8 becomes U+FFFD and a control
/// character "_". Where nothing is left (or "." or ".."), the name is "upload", as an SDK calls
/// bytes without a name. invalid_request if it is longer than kFilenameBytesMax.
Result<std::string> stored_filename(std::string_view sent);

}  // namespace offpeak
