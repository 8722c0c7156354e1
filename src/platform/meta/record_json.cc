#include "platform/meta/record_json.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <exception>

namespace offpeak {
namespace {

namespace json = boost::json;

std::string text_of(const json::value& value) {
  return std::string(value.as_string());
}

/// Parses an array and makes one element of the result of each of its elements.
template <class Element, class Make>
Result<std::vector<Element>> array_from(std::string_view text, Make make) {
  try {
    json::parse_options options;
    options.allow_invalid_utf8 = true;
    const json::value value = json::parse({text.data(), text.size()}, {}, options);
    std::vector<Element> elements;
    elements.reserve(value.as_array().size());
    for (const json::value& element : value.as_array()) elements.push_back(make(element));
    return elements;
  } catch (const std::exception& error) {
    return fail(ErrorKind::internal,
                fmt::format("the metadata is damaged: a JSON column: {}", error.what()));
  }
}

}  // namespace

std::string metadata_to_json(const Metadata& metadata) {
  json::array pairs;
  for (const auto& [key, value] : metadata) pairs.push_back(json::array{key, value});
  return json::serialize(pairs);
}

Result<Metadata> metadata_from_json(std::string_view text) {
  return array_from<Metadata::value_type>(text, [](const json::value& pair) {
    return Metadata::value_type(text_of(pair.at(0)), text_of(pair.at(1)));
  });
}

std::string errors_to_json(const std::vector<LineError>& errors) {
  json::array array;
  for (const LineError& error : errors) {
    array.push_back(json::object{{"code", error.code},
                                 {"message", error.message},
                                 {"param", error.param},
                                 {"line", error.line}});
  }
  return json::serialize(array);
}

Result<std::vector<LineError>> errors_from_json(std::string_view text) {
  return array_from<LineError>(text, [](const json::value& error) {
    return LineError{.code = text_of(error.at("code")),
                     .message = text_of(error.at("message")),
                     .param = text_of(error.at("param")),
                     .line = error.at("line").to_number<std::uint64_t>()};
  });
}

std::string extents_to_json(const std::vector<Extent>& extents) {
  json::array array;
  for (const Extent& extent : extents) {
    array.push_back(json::object{{"blob", extent.blob.text()}, {"bytes", extent.bytes}});
  }
  return json::serialize(array);
}

Result<std::vector<Extent>> extents_from_json(std::string_view text) {
  return array_from<Extent>(text, [](const json::value& extent) {
    return Extent{BlobKey(text_of(extent.at("blob"))),
                  extent.at("bytes").to_number<std::uint64_t>()};
  });
}

std::string texts_to_json(const std::vector<std::string>& texts) {
  return json::serialize(json::array(texts.begin(), texts.end()));
}

Result<std::vector<std::string>> texts_from_json(std::string_view text) {
  return array_from<std::string>(text, text_of);
}

}  // namespace offpeak
