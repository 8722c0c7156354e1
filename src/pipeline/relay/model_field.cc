#include "pipeline/relay/model_field.h"

#include <fmt/format.h>

#include <utility>

#include "core/jsonl/json_scan.h"
#include "platform/http/multipart.h"

namespace offpeak {
namespace {

constexpr std::string_view kMember = "model";

std::unexpected<Error> not_json() {
  return fail(ErrorKind::invalid_request,
              "We could not parse the JSON body of your request. (HINT: This likely means you "
              "aren't using your HTTP library correctly. The API expects a JSON object.)");
}

std::unexpected<Error> twice() {
  return fail(ErrorKind::invalid_request, "The parameter 'model' is given twice.",
              "invalid_request", std::string(kMember));
}

std::string_view type_of(char first) {
  switch (first) {
    case '{':
      return "an object";
    case '[':
      return "an array";
    case 't':
    case 'f':
      return "a boolean";
    default:
      return "a number";
  }
}

bool is_model_key(std::string_view raw_key) {
  if (raw_key == kMember) return true;
  if (!raw_key.contains('\\')) return false;
  return decode_json_string(fmt::format("\"{}\"", raw_key)) == kMember;
}

Result<ModelField> find_in_json(std::string& body, JsonValidator& validator) {
  body.reserve(body.size() + kJsonPadding);
  if (!validator.valid(body)) return not_json();
  const char* const object = skip_json_space(body.data());
  if (*object != '{') return not_json();
  ModelField field;
  JsonMembers members(object);
  while (members.next()) {
    if (!is_model_key(members.key())) continue;
    if (!field.value.empty()) return twice();
    field.value = members.value();
  }
  if (field.value.empty() || field.value == "null") return ModelField();
  if (field.value.front() != '"') {
    return fail(ErrorKind::invalid_request,
                fmt::format("Invalid type for 'model': expected a string, but got {} instead.",
                            type_of(field.value.front())),
                "invalid_type", std::string(kMember));
  }
  field.name = decode_json_string(field.value).value_or("");
  return field;
}

/// The whole body is fed at once, so that the parser's pieces lie in it one behind the other.
Result<ModelField> find_in_form(std::string_view body, std::string_view boundary) {
  http::MultipartParser parser(boundary);
  parser.feed(body);
  ModelField field{.json = false};
  bool in_model = false;
  bool found = false;
  std::string text;
  const char* begin = nullptr;
  while (true) {
    auto event = parser.next();
    if (!event) return std::unexpected(event.error());
    if (!*event) break;
    if (const auto* const part = std::get_if<http::PartBegin>(&**event)) {
      in_model = part->name == kMember && !part->filename;
      if (in_model && std::exchange(found, true)) return twice();
    } else if (const auto* const data = std::get_if<http::PartData>(&**event)) {
      if (!in_model) continue;
      if (begin == nullptr) begin = data->bytes.data();
      text += data->bytes;
    }
  }
  if (auto whole = parser.finish(); !whole) return std::unexpected(whole.error());
  if (text.empty()) return field;
  field.value = {begin, text.size()};
  field.name = std::move(text);
  return field;
}

}  // namespace

Result<ModelField> find_model(std::string& body, std::string_view content_type,
                              JsonValidator& validator) {
  if (const auto boundary = http::parse_boundary(content_type)) {
    return find_in_form(body, *boundary);
  }
  return find_in_json(body, validator);
}

}  // namespace offpeak
