// "HOST:PORT" as text: "127.0.0.1:2424", "[::1]:0", "localhost:80".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace offpeak::http {

struct Address {
  std::string host;  // without brackets
  std::uint16_t port = 0;
};

Result<Address> parse_address(std::string_view text);

}  // namespace offpeak::http
