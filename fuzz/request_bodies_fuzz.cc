// The small JSON bodies of the control plane: whatever comes, the answer is a value within its
// documented bounds or an error that says something.
#include "core/openai/uploads.h"
#include "core/webhook/endpoint_body.h"
#include "fuzz/fuzz.h"

using offpeak::fuzz::require;

namespace {

constexpr std::uint64_t kUploadMax = 8ULL << 30;

template <class T>
bool accepted(const offpeak::Result<T>& parsed) {
  if (parsed) return true;
  require(!parsed.error().message.empty(), "an error says something");
  require(parsed.error().kind != offpeak::ErrorKind::internal, "the caller is at fault");
  return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto body = offpeak::fuzz::text_of(data, size);
  const auto upload = offpeak::parse_create_upload(body, kUploadMax);
  if (accepted(upload)) require(upload->bytes <= kUploadMax, "within the limit");
  accepted(offpeak::parse_complete_upload(body));
  const auto endpoint = offpeak::parse_create_endpoint(body);
  if (accepted(endpoint)) {
    require(endpoint->name && endpoint->url && endpoint->event_types, "nothing is missing");
    require(!endpoint->event_types->empty(), "some event");
  }
  accepted(offpeak::parse_update_endpoint(body));
  accepted(offpeak::parse_rotate_secret(body));
  accepted(offpeak::parse_test_endpoint(body));
  return 0;
}
