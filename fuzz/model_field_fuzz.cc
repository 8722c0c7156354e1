// Bodies of synchronous calls: the model's value lies in the body, which is not changed. The first
// byte chooses between JSON and a form.
#include "fuzz/fuzz.h"
#include "pipeline/relay/model_field.h"

using offpeak::fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  static offpeak::JsonValidator validator;
  const bool form = (data[0] & 1) != 0;
  const std::string before(offpeak::fuzz::text_of(data + 1, size - 1));
  std::string body = before;
  const auto model = offpeak::find_model(
      body, form ? "multipart/form-data; boundary=b" : "application/json", validator);
  require(body == before, "the body is not changed");
  if (!model) {
    require(!model.error().message.empty(), "an error says something");
    return 0;
  }
  if (model->value.empty()) return 0;
  const auto at = static_cast<std::size_t>(model->value.data() - body.data());
  require(at + model->value.size() <= body.size(), "the value lies in the body");
  require(model->json != form, "of the kind that came");
  return 0;
}
