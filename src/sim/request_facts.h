// What the simulated engine wants to know of a request body. Read with simdjson On-Demand, which
// looks only at the wanted members: odd numbers elsewhere (10^30, 1.0E+2) are none of our business.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace offpeak::sim {

struct RequestFacts {
  bool valid = false;  // the body is an object, or a form, that could be read
  std::string model;
  bool stream = false;
  bool include_usage = false;
  bool base64 = false;                      // embeddings: encoding_format
  std::optional<std::uint32_t> max_tokens;  // whichever of the three names is used
  std::optional<std::uint32_t> dimensions;
  std::uint32_t inputs = 1;   // embeddings and moderations
  std::uint32_t images = 1;   // to be made: n
  std::string last_text;      // last message or prompt, at most kEchoBytes, unescaped, valid UTF-8
  std::size_t prompt_at = 0;  // where messages, prompt or input begins in the body
};

inline constexpr std::size_t kEchoBytes = 48;

/// `body` must be readable for 64 bytes beyond its end.
void read_request_facts(std::string_view body, RequestFacts& facts);

/// The same of a multipart/form-data body: the fields `model`, `prompt` and `n`.
void read_form_facts(std::string_view body, RequestFacts& facts);

}  // namespace offpeak::sim
