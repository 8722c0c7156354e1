// URLs of webhook endpoints: what is accepted names a host that may be called, and says the same
// when it is read again.
#include <algorithm>

#include "core/webhook/target_url.h"
#include "fuzz/fuzz.h"

using offpeak::fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(offpeak::fuzz::text_of(data, size));
  for (const bool allow_private : {false, true}) {
    const auto url = offpeak::parse_target_url(text, allow_private);
    if (!url) {
      require(url.error().kind == offpeak::ErrorKind::invalid_request, "the caller is at fault");
      continue;
    }
    require(url->tls || allow_private, "plain http is for private targets");
    require(!url->host.empty() && url->path.starts_with('/'), "a host and a path");
    require(!url->literal || offpeak::may_connect(*url->literal, allow_private),
            "an address that may be called");
    const std::string again = url->text();
    require(std::ranges::all_of(again, [](char c) { return c > 0x20 && c < 0x7F; }),
            "printable ASCII");
    const auto second = offpeak::parse_target_url(again, allow_private);
    require(second && second->text() == again, "reading it again changes nothing");
  }
  return 0;
}
