// The types a setting can have. Each kind parses the text of a value, renders a value back, and
// says in words what it accepts; these words serve the error messages ("must be …") and the
// reference.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "platform/config/config.h"

namespace offpeak {

template <class T>
using Parsed = std::expected<T, std::string>;  // the error completes "must be …"

struct TextKind {
  std::string words = "text";

  Parsed<std::string> parse(const std::string& text) const;
  std::string render(const std::string& value) const { return value; }
  std::string describe() const { return words; }
};

struct PathKind {
  Parsed<std::filesystem::path> parse(const std::string& text) const;
  std::string render(const std::filesystem::path& value) const { return value.string(); }
  std::string describe() const { return "a path"; }
};

template <class T>
struct IntegerKind {
  T min;
  T max;

  Parsed<T> parse(const std::string& text) const;
  std::string render(T value) const { return std::to_string(value); }
  std::string describe() const {
    return "an integer from " + std::to_string(min) + " to " + std::to_string(max);
  }
};

/// A count that may be "unlimited".
struct CountKind {
  std::uint64_t min = 1;

  Parsed<std::uint64_t> parse(const std::string& text) const;
  std::string render(std::uint64_t value) const;
  std::string describe() const;
};

/// Bytes, or "unlimited".
struct SizeKind {
  std::uint64_t min = 1;

  Parsed<std::uint64_t> parse(const std::string& text) const;
  std::string render(std::uint64_t value) const;
  std::string describe() const;
};

struct DurationKind {
  std::chrono::milliseconds min;
  std::chrono::milliseconds max;

  Parsed<std::chrono::milliseconds> parse(const std::string& text) const;
  std::string render(std::chrono::milliseconds value) const;
  std::string describe() const;
};

/// A decimal held in millionths.
struct DecimalKind {
  std::int64_t max_millionths;

  Parsed<std::int64_t> parse(const std::string& text) const;
  std::string render(std::int64_t value) const;
  std::string describe() const;
};

template <class E>
struct ChoiceKind {
  std::vector<std::pair<std::string, E>> choices;

  Parsed<E> parse(const std::string& text) const {
    for (const auto& [name, value] : choices) {
      if (name == text) return value;
    }
    return std::unexpected(describe());
  }
  std::string render(E wanted) const {
    for (const auto& [name, value] : choices) {
      if (value == wanted) return name;
    }
    return {};
  }
  std::string describe() const {
    std::string words = "one of ";
    for (const auto& choice : choices) words += choice.first + ", ";
    words.resize(words.size() - 2);
    return words;
  }
};

struct ListenKind {
  Parsed<ListenAddress> parse(const std::string& text) const;
  std::string render(const ListenAddress& value) const;
  std::string describe() const { return "HOST:PORT, such as 127.0.0.1:2424 or [::1]:2424"; }
};

struct EngineKind {
  Parsed<EngineChoice> parse(const std::string& text) const;
  std::string render(const EngineChoice& value) const;
  std::string describe() const { return "auto, none or the path of a llama-server"; }
};

/// Normalises as parse_base_url does.
struct UrlKind {
  Parsed<std::string> parse(const std::string& text) const;
  std::string render(const std::string& value) const { return value; }
  std::string describe() const { return "a URL like http://host:8000 or https://host/prefix/v1"; }
};

/// The name of an environment variable; a pasted key is refused.
struct VariableKind {
  Parsed<std::string> parse(const std::string& text) const;
  std::string render(const std::string& value) const { return value; }
  std::string describe() const { return "the name of an environment variable, not the key itself"; }
};

}  // namespace offpeak
