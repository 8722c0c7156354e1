#include "platform/config/base_url.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace offpeak {
namespace {

constexpr std::string_view kUrlForm = "a URL like http://host:8000 or https://host/prefix/v1";
constexpr std::string_view kHostPortForm = "HOST:PORT, such as 127.0.0.1:2424 or [::1]:2424";

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return port;
}

struct Authority {
  std::string_view host;
  std::optional<std::string_view> port;
};

bool is_host_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '-' || c == '_' || c == ':';
}

std::optional<Authority> split_authority(std::string_view text) {
  Authority parts;
  std::string_view rest;
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    parts.host = text.substr(1, close - 1);
    rest = text.substr(close + 1);
  } else {
    const auto colon = text.find(':');
    parts.host = text.substr(0, colon);
    rest = colon == std::string_view::npos ? std::string_view{} : text.substr(colon);
  }
  if (parts.host.empty() || !std::ranges::all_of(parts.host, is_host_char)) return std::nullopt;
  if (rest.empty()) return parts;
  if (!rest.starts_with(':')) return std::nullopt;
  parts.port = rest.substr(1);
  return parts;
}

std::string bracketed(const std::string& host) {
  return host.find(':') == std::string::npos ? host : fmt::format("[{}]", host);
}

bool is_path_char(char c) {
  return c > ' ' && c < 0x7f && c != '?' && c != '#' && c != '\\';
}

std::string normal_prefix(std::string_view path) {
  while (path.ends_with('/')) path.remove_suffix(1);
  if (path == "/v1" || path.ends_with("/v1")) path.remove_suffix(3);
  while (path.ends_with('/')) path.remove_suffix(1);
  return std::string(path);
}

}  // namespace

std::string BaseUrl::text() const {
  const bool usual = port == (tls ? 443 : 80);
  return fmt::format("{}://{}{}{}", tls ? "https" : "http", bracketed(host),
                     usual ? "" : fmt::format(":{}", port), prefix);
}

bool BaseUrl::is_loopback() const {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

std::expected<BaseUrl, std::string> parse_base_url(std::string_view text) {
  const auto wrong = std::unexpected(std::string(kUrlForm));
  BaseUrl url;
  if (text.starts_with("http://")) {
    text.remove_prefix(7);
  } else if (text.starts_with("https://")) {
    text.remove_prefix(8);
    url.tls = true;
    url.port = 443;
  } else {
    return wrong;
  }
  const auto slash = std::min(text.find('/'), text.size());
  const auto path = text.substr(slash);
  if (text.substr(0, slash).find('@') != std::string_view::npos) {
    return std::unexpected(std::string("a URL without a user name or password"));
  }
  const auto authority = split_authority(text.substr(0, slash));
  if (!authority || !std::ranges::all_of(path, is_path_char)) return wrong;
  if (authority->port) {
    const auto port = parse_port(*authority->port);
    if (!port || *port == 0) return wrong;
    url.port = *port;
  }
  url.host = authority->host;
  url.prefix = normal_prefix(path);
  return url;
}

std::expected<HostPort, std::string> parse_host_port(std::string_view text) {
  const auto authority = split_authority(text);
  if (!authority || !authority->port) return std::unexpected(std::string(kHostPortForm));
  const auto port = parse_port(*authority->port);
  if (!port) return std::unexpected(std::string(kHostPortForm));
  return HostPort{std::string(authority->host), *port};
}

}  // namespace offpeak
