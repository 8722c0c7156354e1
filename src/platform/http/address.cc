#include "platform/http/address.h"

#include <fmt/format.h>

#include <charconv>

namespace offpeak::http {

Result<Address> parse_address(std::string_view text) {
  const auto colon = text.rfind(':');
  Address address;
  if (colon != std::string_view::npos && colon > 0) {
    auto host = text.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    const auto port = text.substr(colon + 1);
    const auto [end, error] =
        std::from_chars(port.data(), port.data() + port.size(), address.port);
    if (error == std::errc() && end == port.data() + port.size() && !port.empty() && !host.empty()) {
      address.host = host;
      return address;
    }
  }
  return fail(ErrorKind::invalid_request,
              fmt::format("'{}' is not an address of the form HOST:PORT, such as 127.0.0.1:2424.",
                          text));
}

}  // namespace offpeak::http
