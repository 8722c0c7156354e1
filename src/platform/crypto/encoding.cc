#include "platform/crypto/encoding.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

namespace offpeak {

std::optional<std::string> decode_base64(std::string_view text, std::size_t max) {
  if (text.empty() || text.size() % 4 != 0 || text.size() > max) return std::nullopt;
  std::string decoded(text.size(), '\0');
  const int length = ::EVP_DecodeBlock(reinterpret_cast<unsigned char*>(decoded.data()),
                                       reinterpret_cast<const unsigned char*>(text.data()),
                                       static_cast<int>(text.size()));
  if (length < 0) return std::nullopt;
  const auto padding = text.ends_with("==") ? 2u : text.ends_with('=') ? 1u : 0u;
  decoded.resize(static_cast<std::size_t>(length) - padding);
  return decoded;
}

std::string encode_base64(std::string_view bytes) {
  // The library writes a NUL behind the text.
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int length = ::EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                       reinterpret_cast<const unsigned char*>(bytes.data()),
                                       static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(length));
  return text;
}

bool constant_time_equal(std::string_view a, std::string_view b) {
  return a.size() == b.size() && ::CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace offpeak
