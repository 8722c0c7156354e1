#include "api/auth.h"

#include <fmt/format.h>

#include "platform/crypto/api_key.h"
#include "platform/crypto/encoding.h"

namespace offpeak {
namespace {

constexpr std::size_t kKnownMax = 4096;
constexpr std::string_view kWhereKeysAre =
    "the server's data directory (default.key), or make one with 'offpeak project create NAME'";

std::optional<std::string_view> after_scheme(std::string_view header, std::string_view scheme) {
  if (header.size() <= scheme.size() || header[scheme.size()] != ' ') return std::nullopt;
  if (!http::iequals(header.substr(0, scheme.size()), scheme)) return std::nullopt;
  header.remove_prefix(scheme.size());
  header.remove_prefix(std::min(header.find_first_not_of(' '), header.size()));
  return header;
}

std::unexpected<Error> no_key() {
  return fail(ErrorKind::unauthenticated,
              fmt::format("You didn't provide an API key. You need to provide your API key in an "
                          "Authorization header using Bearer auth (i.e. Authorization: Bearer "
                          "YOUR_KEY), or as the password field (with blank username) if you're "
                          "accessing the API from your browser and are prompted for a username and "
                          "password. You can obtain an API key from {}.",
                          kWhereKeysAre));
}

std::unexpected<Error> bad_key(std::string_view key) {
  return fail(ErrorKind::unauthenticated,
              fmt::format("Incorrect API key provided: {}. You can find your API key at {}.",
                          redacted_key(key), kWhereKeysAre),
              "invalid_api_key");
}

}  // namespace

std::optional<std::string> presented_key(const http::Request& request) {
  const std::string_view header = request.header("authorization");
  if (const auto key = after_scheme(header, "Bearer")) {
    return key->empty() ? std::nullopt : std::optional(std::string(*key));
  }
  if (const auto credentials = after_scheme(header, "Basic")) {
    const auto decoded = decode_base64(*credentials);
    const auto colon = decoded ? decoded->find(':') : std::string::npos;
    if (colon != std::string::npos && colon + 1 < decoded->size())
      return decoded->substr(colon + 1);
  }
  return std::nullopt;
}

Result<ApiKey> Authenticator::authenticate(const http::Request& request) {
  const auto key = presented_key(request);
  if (!key) return no_key();
  if (!is_well_formed_api_key(*key)) return bad_key(*key);
  const std::string hash = sha256_hex(*key);
  const SteadyTime now = clock_.steady_now();
  if (const auto known = known_.find(hash); known != known_.end() && known->second.until > now) {
    return known->second.key;
  }
  const auto found = meta_.find_key(hash);
  if (!found) return std::unexpected(found.error());
  if (!*found) return bad_key(*key);
  if (known_.size() >= kKnownMax) known_.clear();
  known_.insert_or_assign(hash, Known{**found, now + kKnownFor});
  return **found;
}

Status authenticate_operator(std::string_view operator_key_sha256, const http::Request& request) {
  const auto key = presented_key(request);
  if (!key) return no_key();
  const std::string hash = sha256_hex(*key);
  if (constant_time_equal(hash, operator_key_sha256)) return {};
  return bad_key(*key);
}

}  // namespace offpeak
