#include "base/random.h"

#include <sys/random.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <system_error>

namespace offpeak {

std::uint64_t Random::u64() {
  std::uint64_t value = 0;
  fill(std::as_writable_bytes(std::span(&value, 1)));
  return value;
}

double Random::unit() {
  return static_cast<double>(u64() >> 11) * 0x1.0p-53;
}

std::string Random::hex(std::size_t digits) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text(digits, '0');
  fill(std::as_writable_bytes(std::span(text)));
  for (char& c : text) c = kDigits[static_cast<unsigned char>(c) & 15];
  return text;
}

std::string Random::alphanumeric(std::size_t length) {
  static constexpr std::string_view kLetters =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  // Bytes from 248 up would favour the first letters, so they are drawn again.
  constexpr unsigned kUsable = 256 / kLetters.size() * kLetters.size();
  std::string text;
  std::array<unsigned char, 64> bytes;
  while (text.size() < length) {
    fill(std::as_writable_bytes(std::span(bytes)));
    for (const unsigned char byte : bytes) {
      if (byte < kUsable && text.size() < length) text += kLetters[byte % kLetters.size()];
    }
  }
  return text;
}

void SystemRandom::fill(std::span<std::byte> out) {
  while (!out.empty()) {
    const ssize_t got = ::getrandom(out.data(), out.size(), 0);
    if (got < 0) {
      if (errno == EINTR) continue;
      throw std::system_error(errno, std::generic_category(), "getrandom");
    }
    out = out.subspan(static_cast<std::size_t>(got));
  }
}

void SeededRandom::fill(std::span<std::byte> out) {
  while (!out.empty()) {
    const std::uint64_t value = engine_();
    const std::size_t count = std::min(out.size(), sizeof value);
    std::memcpy(out.data(), &value, count);
    out = out.subspan(count);
  }
}

}  // namespace offpeak
