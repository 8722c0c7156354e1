#include "platform/crypto/secret_box.h"

#include <openssl/evp.h>

#include <charconv>
#include <memory>
#include <span>
#include <stdexcept>

#include "platform/crypto/encoding.h"

namespace offpeak {
namespace {

constexpr std::size_t kNonceBytes = 12;
constexpr std::size_t kTagBytes = 16;

using Cipher = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

unsigned char* bytes_of(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

int size_of(std::string_view text) {
  return static_cast<int>(text.size());
}

void require(int outcome) {
  if (outcome != 1) throw std::runtime_error("AES-256-GCM is not available");
}

Cipher make_cipher() {
  Cipher cipher(::EVP_CIPHER_CTX_new(), ::EVP_CIPHER_CTX_free);
  require(cipher != nullptr);
  return cipher;
}

}  // namespace

std::string SecretBox::seal(std::string_view secret, std::string_view owner) const {
  std::string nonce(kNonceBytes, '\0');
  random_.fill(std::as_writable_bytes(std::span(nonce)));
  std::string text(secret.size(), '\0');
  std::string tag(kTagBytes, '\0');
  const Cipher cipher = make_cipher();
  int length = 0;
  require(::EVP_EncryptInit_ex(cipher.get(), ::EVP_aes_256_gcm(), nullptr, key_.data(),
                               bytes_of(nonce)));
  require(::EVP_EncryptUpdate(cipher.get(), nullptr, &length, bytes_of(owner), size_of(owner)));
  require(::EVP_EncryptUpdate(cipher.get(), bytes_of(text), &length, bytes_of(secret),
                              size_of(secret)));
  require(::EVP_EncryptFinal_ex(cipher.get(), nullptr, &length));
  require(::EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes, tag.data()));
  return encode_base64(nonce + text + tag);
}

std::optional<std::string> SecretBox::open(std::string_view sealed, std::string_view owner) const {
  const auto raw = decode_base64(sealed, sealed.size());
  if (!raw || raw->size() < kNonceBytes + kTagBytes) return std::nullopt;
  const std::string_view all = *raw;
  const auto nonce = all.substr(0, kNonceBytes);
  const auto hidden = all.substr(kNonceBytes, all.size() - kNonceBytes - kTagBytes);
  std::string tag(all.substr(all.size() - kTagBytes));
  std::string text(hidden.size(), '\0');
  const Cipher cipher = make_cipher();
  int length = 0;
  require(::EVP_DecryptInit_ex(cipher.get(), ::EVP_aes_256_gcm(), nullptr, key_.data(),
                               bytes_of(nonce)));
  require(::EVP_DecryptUpdate(cipher.get(), nullptr, &length, bytes_of(owner), size_of(owner)));
  require(::EVP_DecryptUpdate(cipher.get(), bytes_of(text), &length, bytes_of(hidden),
                              size_of(hidden)));
  require(::EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, tag.data()));
  if (::EVP_DecryptFinal_ex(cipher.get(), nullptr, &length) != 1) return std::nullopt;
  return text;
}

std::string to_hex(const SecretBox::Key& key) {
  std::string hex;
  for (const unsigned char byte : key) {
    hex += "0123456789abcdef"[byte >> 4];
    hex += "0123456789abcdef"[byte & 15];
  }
  return hex;
}

std::optional<SecretBox::Key> parse_secret_key(std::string_view hex) {
  if (hex.size() != 2 * SecretBox::kKeyBytes) return std::nullopt;
  SecretBox::Key key{};
  for (std::size_t i = 0; i < key.size(); ++i) {
    const char* const at = hex.data() + 2 * i;
    const auto [end, error] = std::from_chars(at, at + 2, key[i], 16);
    if (error != std::errc() || end != at + 2) return std::nullopt;
  }
  return key;
}

SecretBox::Key make_secret_key(Random& random) {
  SecretBox::Key key{};
  random.fill(std::as_writable_bytes(std::span(key)));
  return key;
}

}  // namespace offpeak
