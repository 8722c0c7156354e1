// Walking the members of a JSON object as raw slices, without building values: what offpeak needs
// to pass a request's bytes through unchanged. REQUIRES everywhere: text already found valid.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace offpeak {

/// The end of the JSON value that starts at `at`.
const char* skip_json_value(const char* at);

/// First byte at or after `at` that is not JSON white space.
const char* skip_json_space(const char* at);

/// Iterates `{"key": value, …}`.
///
///   JsonMembers members(object);
///   while (members.next()) use(members.key(), members.value());
///
/// A caller that walks the current value itself says with leave() where it ended.
class JsonMembers {
 public:
  /// `object` begins at its "{".
  explicit JsonMembers(const char* object) : at_(object + 1) {}

  /// Moves to the next member, skipping the current value unless leave() said where it ends.
  bool next();

  /// The key without its quotes, escapes not decoded.
  std::string_view key() const { return key_; }
  /// Start of the value.
  const char* value_begin() const { return value_; }
  /// The whole value; finding its end is remembered.
  std::string_view value();
  /// Tells that the value ends at `end`, found by the caller.
  void leave(const char* end) { value_end_ = end; }
  /// Just behind the object's "}". REQUIRES: next() returned false.
  const char* end() const { return at_; }

 private:
  const char* at_;
  std::string_view key_;
  const char* value_ = nullptr;
  const char* value_end_ = nullptr;
};

}  // namespace offpeak
