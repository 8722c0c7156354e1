#include "api/openapi.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <cctype>
#include <cstdio>
#include <cstdlib>

#include "api/openapi_schemas.h"

namespace offpeak {
namespace {

namespace json = boost::json;

[[noreturn]] void missing(std::string_view kind, std::string_view name) {
  fmt::print(stderr, "schemas.json has no {} named {}\n", kind, name);
  std::abort();
}

json::object reference(const json::object& components, std::string_view kind,
                       std::string_view name) {
  const auto* const all = components.if_contains(kind);
  if (all == nullptr || !all->as_object().contains(name)) missing(kind, name);
  json::object found;
  found["$ref"] = fmt::format("#/components/{}/{}", kind, name);
  return found;
}

/// {"<media>": {"schema": …}}
json::object content(std::string_view media, json::object schema) {
  json::object inner;
  inner["schema"] = std::move(schema);
  json::object outer;
  outer[media] = std::move(inner);
  return outer;
}

json::array parameters(const json::object& components, const Route& route) {
  json::array found;
  std::string_view pattern = route.pattern;
  while (true) {
    const auto open = pattern.find('{');
    if (open == std::string_view::npos) break;
    const auto close = pattern.find('}', open);
    json::object parameter{
        {"name", pattern.substr(open + 1, close - open - 1)}, {"in", "path"}, {"required", true}};
    parameter["schema"] = json::object{{"type", "string"}};
    found.push_back(std::move(parameter));
    pattern.remove_prefix(close);
  }
  for (const auto name : route.doc.query) {
    found.push_back(reference(components, "parameters", name));
  }
  return found;
}

json::object request_body(const json::object& components, const Route& route) {
  const bool form = route.body == BodyKind::form;
  json::object body{{"required", true}};
  body["content"] = content(form ? "multipart/form-data" : "application/json",
                            reference(components, "schemas", route.doc.request));
  return body;
}

json::object replies(const json::object& components, const Route& route) {
  json::object good{{"description", "OK"}};
  good["content"] =
      route.doc.reply.empty()
          ? content("*/*", {})
          : content("application/json", reference(components, "schemas", route.doc.reply));
  json::object bad{{"description", "Error"}};
  bad["content"] = content("application/json", reference(components, "schemas", "ErrorResponse"));
  json::object all;
  all["200"] = std::move(good);
  all["default"] = std::move(bad);
  return all;
}

json::array security(Access access) {
  json::array schemes;
  if (access == Access::open) return schemes;
  json::object scheme;
  scheme[access == Access::project ? "projectKey" : "operatorKey"] = json::array();
  schemes.push_back(std::move(scheme));
  return schemes;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

json::object operation(const json::object& components, const Route& route) {
  json::object op{{"operationId", route.doc.operation}, {"summary", route.doc.summary}};
  if (auto found = parameters(components, route); !found.empty()) {
    op["parameters"] = std::move(found);
  }
  if (!route.doc.request.empty()) op["requestBody"] = request_body(components, route);
  op["responses"] = replies(components, route);
  op["security"] = security(route.access);
  return op;
}

}  // namespace

json::object openapi_document(const Router& router) {
  json::object components = json::parse(kOpenapiSchemas).as_object();
  json::object paths;
  for (const Route& route : router.routes()) {
    auto& path = paths[route.pattern];
    if (path.is_null()) path = json::object();
    path.as_object()[lower(route.method)] = operation(components, route);
  }
  json::object info{{"title", "offpeak"}, {"version", OFFPEAK_VERSION}};
  info["description"] = "OpenAI's Batch API, served by your own inference servers.";
  json::array servers;
  servers.push_back(json::object{{"url", "/"}});
  json::object document;
  document["openapi"] = "3.1.0";
  document["info"] = std::move(info);
  document["servers"] = std::move(servers);
  document["paths"] = std::move(paths);
  document["components"] = std::move(components);
  return document;
}

}  // namespace offpeak
