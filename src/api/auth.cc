#include "api/auth.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "platform/crypto/api_key.h"

namespace offpeak {
namespace {

constexpr std::string_view kWhereKeysAre =
    "the server's data directory (default.key), or make one with 'offpeak project create NAME'";

std::optional<std::string> decode_base64(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0 || text.size() > 4096) return std::nullopt;
  std::string decoded(text.size(), '\0');
  const int length = ::EVP_DecodeBlock(reinterpret_cast<unsigned char*>(decoded.data()),
                                       reinterpret_cast<const unsigned char*>(text.data()),
                                       static_cast<int>(text.size()));
  if (length < 0) return std::nullopt;
  const auto padding = text.ends_with("==") ? 2u : text.ends_with('=') ? 1u : 0u;
  decoded.resize(static_cast<std::size_t>(length) - padding);
  return decoded;
}

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

Result<ProjectId> authenticate(MetaStore& meta, const http::Request& request) {
  const auto key = presented_key(request);
  if (!key) return no_key();
  if (!is_well_formed_api_key(*key)) return bad_key(*key);
  const auto found = meta.find_key(sha256_hex(*key));
  if (!found) return std::unexpected(found.error());
  if (!*found) return bad_key(*key);
  return (*found)->project;
}

Status authenticate_operator(std::string_view operator_key_sha256, const http::Request& request) {
  const auto key = presented_key(request);
  if (!key) return no_key();
  const std::string hash = sha256_hex(*key);
  if (hash.size() == operator_key_sha256.size() &&
      ::CRYPTO_memcmp(hash.data(), operator_key_sha256.data(), hash.size()) == 0) {
    return {};
  }
  return bad_key(*key);
}

}  // namespace offpeak
