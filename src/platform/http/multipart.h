// multipart/form-data bodies (RFC 7578, RFC 2046), read piece by piece in constant memory.
//
//   MultipartParser parser(*parse_boundary(content_type));
//   parser.feed(piece);
//   auto event = parser.next();      // an error, an event, or nullopt: feed the next piece
//
// Events come as PartBegin, any number of PartData, PartEnd, …, BodyEnd. What stands before the
// first and behind the closing boundary is skipped. Errors are invalid_request and final: next()
// repeats them. Lines end with CRLF, as the RFC says; a bare LF never ends one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/error.h"

namespace offpeak::http {

inline constexpr std::size_t kBoundaryBytesMax = 70;

/// The boundary that a Content-Type header names; nullopt unless it is multipart/form-data with a
/// boundary of 1 to kBoundaryBytesMax printable characters.
std::optional<std::string> parse_boundary(std::string_view content_type);

struct MultipartLimits {
  std::size_t part_head_bytes = 16 * 1024;
  std::size_t parts = 1000;
};

struct PartBegin {
  std::string name;                     // brackets and all
  std::optional<std::string> filename;  // as sent, directories and all; a field has none
  std::string content_type;             // empty if not stated
};
struct PartData {
  std::string_view bytes;  // never empty; valid until the next feed()
};
struct PartEnd {};
struct BodyEnd {};
using MultipartEvent = std::variant<PartBegin, PartData, PartEnd, BodyEnd>;

class MultipartParser {
 public:
  /// REQUIRES: a boundary as parse_boundary() gives it.
  explicit MultipartParser(std::string_view boundary, MultipartLimits limits = {});
  // Events hold views of the delimiter, and a short string moves with its owner.
  MultipartParser(const MultipartParser&) = delete;

  /// Takes a piece, which must live until next() has returned nullopt. REQUIRES: it has.
  void feed(std::string_view piece);
  /// The next event of what was fed; nullopt when it is used up.
  Result<std::optional<MultipartEvent>> next();
  /// Call at the end of the body: an error unless the closing boundary was seen. (A client that
  /// uploads a pipe sends a body that is complete by length and lacks it.)
  Status finish() const;

 private:
  enum class State { preamble, delimiter_tail, head, data, epilogue };

  Status scan();
  Status read_delimiter_tail();
  Status read_head();
  Status begin_part();
  /// Takes input up to and including the delimiter; `found` says whether it was there. Returns what
  /// stands before it.
  std::string_view take_until_delimiter(bool& found);

  std::string delimiter_;  // CRLF "--" boundary
  MultipartLimits limits_;
  State state_ = State::preamble;
  std::string_view input_;
  std::size_t matched_ = 2;  // bytes of the delimiter seen at the end of the last piece
  std::string tail_;         // what follows a delimiter on its line
  std::string head_;         // of the part, with the CRLF before it
  std::size_t parts_ = 0;
  std::optional<MultipartEvent> event_;
  bool part_ends_ = false;  // PartEnd comes after event_
  std::optional<Error> error_;
};

}  // namespace offpeak::http
