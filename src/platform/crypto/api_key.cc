#include "platform/crypto/api_key.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <boost/crc.hpp>
#include <stdexcept>

namespace offpeak {
namespace {

constexpr std::string_view kPrefix = "opk_";
constexpr std::size_t kRandomLength = 30;
constexpr std::size_t kChecksumLength = 6;
constexpr std::string_view kLetters =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

std::string checksum(std::string_view body) {
  boost::crc_32_type crc;
  crc.process_bytes(body.data(), body.size());
  std::string text;
  for (std::uint64_t value = crc.checksum(); text.size() < kChecksumLength; value /= 62) {
    text.insert(text.begin(), kLetters[value % 62]);
  }
  return text;
}

}  // namespace

std::string make_api_key(Random& random) {
  const std::string body = random.alphanumeric(kRandomLength);
  return std::string(kPrefix) + body + checksum(body);
}

bool is_well_formed_api_key(std::string_view key) {
  if (!key.starts_with(kPrefix)) return false;
  key.remove_prefix(kPrefix.size());
  if (key.size() != kRandomLength + kChecksumLength) return false;
  if (!std::ranges::all_of(key, [](char c) { return kLetters.contains(c); })) return false;
  return checksum(key.substr(0, kRandomLength)) == key.substr(kRandomLength);
}

std::string redacted_key(std::string_view key) {
  if (key.size() < 12) return std::string(key.size(), '*');
  return std::string(key.substr(0, 6)) + std::string(key.size() - 10, '*') +
         std::string(key.substr(key.size() - 4));
}

std::string sha256_hex(std::string_view bytes) {
  std::array<unsigned char, 32> digest;
  unsigned length = 0;
  if (::EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, ::EVP_sha256(), nullptr) !=
      1) {
    throw std::runtime_error("SHA-256 is not available");
  }
  std::string hex;
  for (const unsigned char byte : digest) {
    hex += "0123456789abcdef"[byte >> 4];
    hex += "0123456789abcdef"[byte & 15];
  }
  return hex;
}

}  // namespace offpeak
