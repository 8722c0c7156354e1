// Where a synchronous request's body names its model: the member `model` of a JSON object, or the
// field `model` of a multipart form (contract section 9.3).
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "core/jsonl/json_text.h"

namespace offpeak {

struct ModelField {
  std::string name;             // empty: the body names no model
  std::string_view value = {};  // its bytes in the body: a JSON literal, or a form field's text
  bool json = true;

  /// `model` as it is written in such a body.
  std::string spelled(std::string_view model) const {
    return json ? encode_json_string(model) : std::string(model);
  }
};

/// invalid_request for a body that is neither a JSON object nor a whole form. Changes only the
/// capacity of `body`; the result points into it.
Result<ModelField> find_model(std::string& body, std::string_view content_type,
                              JsonValidator& validator);

}  // namespace offpeak
