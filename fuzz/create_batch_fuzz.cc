// The body of POST /v1/batches: what is accepted is within the documented bounds.
#include "core/openai/create_batch.h"
#include "fuzz/fuzz.h"

using offpeak::fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto create = offpeak::parse_create_batch(offpeak::fuzz::text_of(data, size));
  if (!create) {
    require(create.error().kind == offpeak::ErrorKind::invalid_request, "the caller is at fault");
    require(!create.error().message.empty(), "an error says something");
    return 0;
  }
  require(create->endpoint.starts_with("/v1/"), "the endpoint is a known one");
  require(create->window >= std::chrono::hours(1), "the window is an hour or more");
  require(create->window <= std::chrono::days(7), "the window is a week or less");
  if (create->metadata) require(create->metadata->size() <= 16, "at most 16 metadata pairs");
  if (const auto expiry = create->output_expires_after_s) {
    require(offpeak::check_expires_after(*expiry, "p").has_value(), "the expiry is within bounds");
  }
  return 0;
}
