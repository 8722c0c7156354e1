// Retry-After: a wish is never negative and never above the maximum. First line: Retry-After,
// second: retry-after-ms.
#include <algorithm>

#include "core/batch/outcome.h"
#include "fuzz/fuzz.h"

using offpeak::fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = offpeak::fuzz::text_of(data, size);
  const auto line_end = std::min(text.find('\n'), text.size());
  const offpeak::WallTime now{std::chrono::seconds(1'750'000'000)};
  const auto wish = offpeak::parse_retry_after(
      text.substr(0, line_end), text.substr(std::min(line_end + 1, text.size())), now);
  if (!wish) return 0;
  require(wish->count() >= 0, "a wish is not negative");
  require(*wish <= offpeak::kRetryAfterMax, "a wish is not above the maximum");
  return 0;
}
