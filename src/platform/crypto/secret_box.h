// Keeping secrets that must be readable later, such as those that webhooks are signed with: sealed
// with AES-256-GCM under one key, which lies in the data directory and not in the database.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/random.h"

namespace offpeak {

/// Thread-safe if `random` is.
class SecretBox {
 public:
  static constexpr std::size_t kKeyBytes = 32;
  using Key = std::array<unsigned char, kKeyBytes>;

  SecretBox(const Key& key, Random& random) : key_(key), random_(random) {}
  SecretBox(const SecretBox&) = delete;

  /// Base64 of nonce, ciphertext and tag. `owner` is not stored, but open() needs the same: a
  /// sealed secret cannot be moved to another object.
  std::string seal(std::string_view secret, std::string_view owner) const;
  /// nullopt if it was sealed under another key or for another owner, or has been changed.
  std::optional<std::string> open(std::string_view sealed, std::string_view owner) const;

 private:
  Key key_;
  Random& random_;
};

/// How a key is written to its file: 64 hex digits.
std::string to_hex(const SecretBox::Key& key);
std::optional<SecretBox::Key> parse_secret_key(std::string_view hex);
SecretBox::Key make_secret_key(Random& random);

}  // namespace offpeak
