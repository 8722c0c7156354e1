#include "api/router.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "platform/http/url.h"

namespace offpeak {
namespace {

/// The next segment of a path that begins with "/".
std::string_view take_segment(std::string_view& path) {
  path.remove_prefix(1);
  const auto end = std::min(path.find('/'), path.size());
  const auto segment = path.substr(0, end);
  path.remove_prefix(end);
  return segment;
}

/// Splits before decoding, so that "%2F" in an id stays inside its segment.
std::optional<std::vector<std::string>> match_pattern(std::string_view pattern,
                                                      std::string_view path) {
  std::vector<std::string> arguments;
  while (!pattern.empty()) {
    if (!path.starts_with('/')) return std::nullopt;
    const auto expected = take_segment(pattern);
    const auto segment = take_segment(path);
    if (!expected.starts_with('{')) {
      if (segment != expected) return std::nullopt;
      continue;
    }
    auto decoded = http::percent_decode(segment);
    if (!decoded || decoded->empty()) return std::nullopt;
    arguments.push_back(std::move(*decoded));
  }
  if (!path.empty()) return std::nullopt;
  return arguments;
}

}  // namespace

void Router::add(Route route) {
  routes_.push_back(std::move(route));
}

Result<Router::Match> Router::match(std::string_view method, std::string_view path) const {
  const std::string_view served = method == "HEAD" ? "GET" : method;
  for (const Route& route : routes_) {
    if (route.method != served) continue;
    if (auto arguments = match_pattern(route.pattern, path)) {
      return Match{&route, std::move(*arguments)};
    }
  }
  const std::string allowed = allowed_methods(path);
  if (allowed.empty()) {
    return fail(ErrorKind::not_found, fmt::format("Invalid URL ({} {})", method, path));
  }
  std::string methods = allowed;
  if (const auto last = methods.rfind(", "); last != std::string::npos) {
    methods.replace(last, 2, " and ");
  }
  return fail(ErrorKind::method_not_allowed, fmt::format("Only {} requests are accepted.", methods),
              "method_not_supported");
}

std::string Router::allowed_methods(std::string_view path) const {
  std::string methods;
  for (const Route& route : routes_) {
    if (!match_pattern(route.pattern, path)) continue;
    if (!methods.empty()) methods += ", ";
    methods += route.method;
  }
  return methods;
}

}  // namespace offpeak
