// Numbers to and from bytes, little-endian as they lie in memory: what our file formats are made
// of.
#pragma once

#include <bit>
#include <cstring>
#include <type_traits>

namespace offpeak {

static_assert(std::endian::native == std::endian::little,
              "formats are written as they lie in memory");

/// Writes one value after the other. REQUIRES: room for them.
class ByteWriter {
 public:
  explicit ByteWriter(char* at) : at_(at) {}

  template <class T>
    requires std::is_trivially_copyable_v<T>
  void put(T value) {
    std::memcpy(at_, &value, sizeof value);
    at_ += sizeof value;
  }
  const char* at() const { return at_; }

 private:
  char* at_;
};

/// Reads what ByteWriter wrote, in the same order and types.
class ByteReader {
 public:
  explicit ByteReader(const char* at) : at_(at) {}

  template <class T>
    requires std::is_trivially_copyable_v<T>
  T get() {
    T value;
    std::memcpy(&value, at_, sizeof value);
    at_ += sizeof value;
    return value;
  }
  const char* at() const { return at_; }

 private:
  const char* at_;
};

}  // namespace offpeak
