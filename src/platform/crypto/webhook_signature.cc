#include "platform/crypto/webhook_signature.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <span>
#include <stdexcept>
#include <utility>

#include "platform/crypto/encoding.h"

namespace offpeak {
namespace {

constexpr std::string_view kPrefix = "whsec_";
constexpr std::size_t kSecretBytes = 32;

std::string signing_key(std::string_view secret) {
  if (secret.starts_with(kPrefix)) {
    if (auto key = decode_base64(secret.substr(kPrefix.size()))) return std::move(*key);
  }
  return std::string(secret);
}

}  // namespace

std::string make_webhook_secret(Random& random) {
  std::string bytes(kSecretBytes, '\0');
  random.fill(std::as_writable_bytes(std::span(bytes)));
  return std::string(kPrefix) + encode_base64(bytes);
}

std::string webhook_signature(std::string_view secret, std::string_view signed_text) {
  const std::string key = signing_key(secret);
  std::string digest(EVP_MAX_MD_SIZE, '\0');
  unsigned length = 0;
  if (::HMAC(::EVP_sha256(), key.data(), static_cast<int>(key.size()),
             reinterpret_cast<const unsigned char*>(signed_text.data()), signed_text.size(),
             reinterpret_cast<unsigned char*>(digest.data()), &length) == nullptr) {
    throw std::runtime_error("HMAC-SHA256 is not available");
  }
  digest.resize(length);
  return "v1," + encode_base64(digest);
}

}  // namespace offpeak
