#include "core/webhook/target_url.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace offpeak {
namespace {

std::unexpected<Error> invalid(std::string message) {
  return fail(ErrorKind::invalid_request, std::move(message), "invalid_value", "url");
}

std::unexpected<Error> malformed(std::string_view what) {
  return invalid(
      fmt::format("Invalid 'url': {}. Expected a URL such as "
                  "'https://example.com/hooks/batches'.",
                  what));
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-' || c == '_' || c == '.';
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// Resolvers read a host whose last label is a number as an IPv4 address, in several bases.
bool looks_numeric(std::string_view host) {
  const auto dot = host.rfind('.');
  const auto label = dot == std::string_view::npos ? host : host.substr(dot + 1);
  return std::ranges::all_of(label, is_digit) || label.starts_with("0x");
}

bool is_name(std::string_view host) {
  return !host.empty() && host.size() <= 253 && std::ranges::all_of(host, is_name_char) &&
         !host.starts_with('.') && !host.ends_with('.') && !host.contains("..");
}

Status read_host(std::string_view text, TargetUrl& url) {
  const bool bracketed = text.starts_with('[') && text.ends_with(']');
  if (bracketed) {
    text = text.substr(1, text.size() - 2);
    url.literal = parse_ip(text);
    if (!url.literal || !url.literal->v6) return malformed("its host is no IPv6 address");
    url.host = to_string(*url.literal);
    return {};
  }
  url.host.assign(text);
  std::ranges::transform(url.host, url.host.begin(), lower);
  if (!is_name(url.host)) {
    return malformed("its host must be a name of ASCII letters, digits, '-' and '.'");
  }
  if (!looks_numeric(url.host)) return {};
  url.literal = parse_ip(url.host);
  if (!url.literal) return malformed("its host is no IPv4 address of four decimal numbers");
  return {};
}

Status read_authority(std::string_view text, TargetUrl& url) {
  if (text.contains('@')) return malformed("it must not have a user name or password");
  const auto colon = text.ends_with(']') ? std::string_view::npos : text.rfind(':');
  if (auto ok = read_host(text.substr(0, colon), url); !ok) return ok;
  if (colon == std::string_view::npos) return {};
  const auto digits = text.substr(colon + 1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), url.port);
  if (error != std::errc() || end != digits.data() + digits.size() || url.port == 0 ||
      digits.starts_with('0')) {
    return malformed("its port must be a number from 1 to 65535");
  }
  return {};
}

bool is_path_char(char c) {
  return c > ' ' && c < 0x7f && !std::string_view("\\\"<>^`{|}").contains(c);
}

}  // namespace

std::string TargetUrl::url_host() const {
  return host.contains(':') ? fmt::format("[{}]", host) : host;
}

std::string TargetUrl::text() const {
  return fmt::format("{}://{}:{}{}", tls ? "https" : "http", url_host(), port, path);
}

Result<TargetUrl> parse_target_url(std::string_view text, bool allow_private) {
  if (text.size() > kTargetUrlMax) {
    return malformed(fmt::format("it is longer than {} bytes", kTargetUrlMax));
  }
  TargetUrl url;
  if (text.starts_with("https://")) {
    text.remove_prefix(8);
  } else if (text.starts_with("http://")) {
    if (!allow_private) {
      return invalid(
          "Invalid 'url': webhook endpoints must use https. (This server's operator can allow "
          "http with the setting webhooks.allow_private_targets.)");
    }
    text.remove_prefix(7);
    url.tls = false;
    url.port = 80;
  } else {
    return malformed("it must begin with https://");
  }
  const auto end = std::min(text.find_first_of("/?#"), text.size());
  const auto path = text.substr(end);
  if (auto ok = read_authority(text.substr(0, end), url); !ok) return std::unexpected(ok.error());
  if (path.contains('#')) return malformed("it must not have a fragment");
  if (!std::ranges::all_of(path, is_path_char)) {
    return malformed("characters other than plain ASCII must be percent-encoded");
  }
  url.path = path.starts_with('/') ? std::string(path) : "/" + std::string(path);
  const bool local = url.host == "localhost" || url.host.ends_with(".localhost");
  if ((local && !allow_private) || (url.literal && !may_connect(*url.literal, allow_private))) {
    return invalid(
        "Invalid 'url': its host is not a public address. (This server's operator can allow "
        "private addresses with the setting webhooks.allow_private_targets.)");
  }
  return url;
}

bool may_connect(const IpAddress& address, bool allow_private) {
  switch (classify(address)) {
    case AddressClass::open:
      return true;
    case AddressClass::on_premises:
      return allow_private;
    case AddressClass::never:
      return false;
  }
  std::unreachable();
}

}  // namespace offpeak
