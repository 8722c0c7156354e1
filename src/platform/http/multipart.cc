#include "platform/http/multipart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "platform/http/message.h"
#include "platform/http/url.h"

namespace offpeak::http {
namespace {

/// White space that may follow a boundary on its line.
constexpr std::size_t kPaddingMax = 256;

std::unexpected<Error> malformed(std::string_view what) {
  return fail(ErrorKind::invalid_request,
              fmt::format("Malformed multipart/form-data body: {}.", what));
}

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// Takes a quoted string off the front of `text`, which begins behind its opening quote. A
/// backslash escapes a quote or a backslash; before anything else it is one (browsers do not escape
/// them).
std::optional<std::string> take_quoted(std::string_view& text) {
  std::string value;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') {
      text.remove_prefix(i + 1);
      return value;
    }
    const bool escape =
        text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == '"' || text[i + 1] == '\\');
    if (escape) ++i;
    value += text[i];
  }
  return std::nullopt;
}

using Parameters = std::vector<std::pair<std::string, std::string>>;

/// `; key=value; key="value"` as pairs, in order; nullopt if it reads otherwise.
std::optional<Parameters> parse_parameters(std::string_view text) {
  Parameters parameters;
  while (!(text = trim(text)).empty()) {
    if (text.front() != ';') return std::nullopt;
    text = trim(text.substr(1));
    if (text.empty()) break;
    const auto equals = text.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    std::string key(trim(text.substr(0, equals)));
    text = trim(text.substr(equals + 1));
    if (text.starts_with('"')) {
      text.remove_prefix(1);
      auto value = take_quoted(text);
      if (!value) return std::nullopt;
      parameters.emplace_back(std::move(key), *std::move(value));
    } else {
      const auto end = std::min(text.find(';'), text.size());
      parameters.emplace_back(std::move(key), trim(text.substr(0, end)));
      text.remove_prefix(end);
    }
  }
  return parameters;
}

/// Browsers and httpx write a quote in a name as %22 and leave "%" itself alone.
std::string decode_quotes(std::string text) {
  for (auto at = text.find("%22"); at != std::string::npos; at = text.find("%22", at + 1)) {
    text.replace(at, 3, "\"");
  }
  return text;
}

/// RFC 5987: `UTF-8'language'percent-encoded`.
std::optional<std::string> decode_extended(std::string_view text) {
  const auto charset_end = text.find('\'');
  if (charset_end == std::string_view::npos) return std::nullopt;
  const auto language_end = text.find('\'', charset_end + 1);
  if (language_end == std::string_view::npos) return std::nullopt;
  if (!iequals(text.substr(0, charset_end), "utf-8")) return std::nullopt;
  return percent_decode(text.substr(language_end + 1));
}

Status read_disposition(std::string_view value, PartBegin& part) {
  const auto end = std::min(value.find(';'), value.size());
  const auto parameters = parse_parameters(value.substr(end));
  if (!iequals(trim(value.substr(0, end)), "form-data") || !parameters) {
    return malformed("a part's Content-Disposition is not form-data with a name");
  }
  bool named = false;
  std::optional<std::string> extended;
  for (const auto& [key, text] : *parameters) {
    if (iequals(key, "name")) {
      if (std::exchange(named, true)) return malformed("a part has two names");
      part.name = decode_quotes(text);
    } else if (iequals(key, "filename")) {
      part.filename = decode_quotes(text);
    } else if (iequals(key, "filename*")) {
      extended = decode_extended(text);
      if (!extended) return malformed("a part's filename* is not UTF-8 as RFC 5987 writes it");
    }
  }
  if (!named) return malformed("a part has no name");
  if (extended) part.filename = std::move(extended);
  return {};
}

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 && c != '\t';
}

/// `head`: header lines, each ended by CRLF.
Result<PartBegin> parse_part_head(std::string_view head) {
  PartBegin part;
  bool disposed = false;
  while (!head.empty()) {
    const auto line = head.substr(0, head.find("\r\n"));
    head.remove_prefix(line.size() + 2);
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0 || line.front() == ' ' ||
        line.front() == '\t' || std::ranges::any_of(line, is_control)) {
      return malformed("a part has a header line that is not \"name: value\"");
    }
    const auto name = trim(line.substr(0, colon));
    const auto value = trim(line.substr(colon + 1));
    if (iequals(name, "content-type")) part.content_type = value;
    if (!iequals(name, "content-disposition")) continue;
    if (std::exchange(disposed, true)) return malformed("a part has two Content-Dispositions");
    if (auto read = read_disposition(value, part); !read) return std::unexpected(read.error());
  }
  if (!disposed) return malformed("a part has no Content-Disposition header");
  return part;
}

}  // namespace

std::optional<std::string> parse_boundary(std::string_view content_type) {
  const auto end = std::min(content_type.find(';'), content_type.size());
  if (!iequals(trim(content_type.substr(0, end)), "multipart/form-data")) return std::nullopt;
  const auto parameters = parse_parameters(content_type.substr(end));
  if (!parameters) return std::nullopt;
  const auto found = std::ranges::find_if(
      *parameters, [](const auto& parameter) { return iequals(parameter.first, "boundary"); });
  if (found == parameters->end()) return std::nullopt;
  const auto& boundary = found->second;
  const auto printable = [](char c) { return c >= ' ' && c <= '~'; };
  if (boundary.empty() || boundary.size() > kBoundaryBytesMax || boundary.ends_with(' ') ||
      !std::ranges::all_of(boundary, printable)) {
    return std::nullopt;
  }
  return boundary;
}

// matched_ begins at 2: the first delimiter needs no CRLF before it.
MultipartParser::MultipartParser(std::string_view boundary, MultipartLimits limits)
    : delimiter_(fmt::format("\r\n--{}", boundary)), limits_(limits) {}

void MultipartParser::feed(std::string_view piece) {
  input_ = piece;
}

Result<std::optional<MultipartEvent>> MultipartParser::next() {
  while (!error_) {
    if (event_) return std::exchange(event_, std::nullopt);
    if (std::exchange(part_ends_, false)) return PartEnd{};
    if (input_.empty()) return std::nullopt;
    if (auto status = scan(); !status) error_ = std::move(status.error());
  }
  return std::unexpected(*error_);
}

Status MultipartParser::finish() const {
  if (error_) return std::unexpected(*error_);
  if (state_ == State::epilogue) return {};
  return malformed("it ends before its closing boundary");
}

Status MultipartParser::scan() {
  switch (state_) {
    case State::preamble:
    case State::data: {
      bool found = false;
      const auto bytes = take_until_delimiter(found);
      if (state_ == State::data) {
        if (!bytes.empty()) event_ = PartData{bytes};
        part_ends_ = found;
      }
      if (found) state_ = State::delimiter_tail;
      return {};
    }
    case State::delimiter_tail:
      return read_delimiter_tail();
    case State::head:
      return read_head();
    case State::epilogue:
      input_ = {};
      return {};
  }
  std::unreachable();
}

std::string_view MultipartParser::take_until_delimiter(bool& found) {
  // "\r" begins the delimiter and occurs nowhere else in it, so a failed match never hides another.
  if (matched_ > 0) {
    const auto rest = std::string_view(delimiter_).substr(matched_);
    const std::size_t compared = std::min(rest.size(), input_.size());
    if (input_.substr(0, compared) != rest.substr(0, compared)) {
      return std::string_view(delimiter_).substr(0, std::exchange(matched_, 0));
    }
    input_.remove_prefix(compared);
    found = compared == rest.size();
    matched_ = found ? 0 : matched_ + compared;
    return {};
  }
  const char* const begin = input_.data();
  const char* const end = begin + input_.size();
  for (const char* at = begin; at != end; ++at) {
    at = static_cast<const char*>(std::memchr(at, '\r', static_cast<std::size_t>(end - at)));
    if (at == nullptr) break;
    const std::size_t compared = std::min(delimiter_.size(), static_cast<std::size_t>(end - at));
    if (std::memcmp(at, delimiter_.data(), compared) != 0) continue;
    found = compared == delimiter_.size();
    matched_ = found ? 0 : compared;
    input_ = {at + compared, end};
    return {begin, at};
  }
  return std::exchange(input_, {});
}

Status MultipartParser::read_delimiter_tail() {
  while (!input_.empty()) {
    tail_ += input_.front();
    input_.remove_prefix(1);
    if (tail_ == "-") continue;
    if (tail_ == "--") {
      state_ = State::epilogue;
      event_ = BodyEnd{};
      return {};
    }
    const auto padding = std::min(tail_.find_first_not_of(" \t"), tail_.size());
    const auto rest = std::string_view(tail_).substr(padding);
    if (rest == "\r\n") {
      tail_.clear();
      head_ = "\r\n";
      state_ = State::head;
      return {};
    }
    if (padding > kPaddingMax || !(rest.empty() || rest == "\r")) {
      return malformed("a boundary is followed by something else on its line");
    }
  }
  return {};
}

Status MultipartParser::read_head() {
  const std::size_t held = head_.size();
  const std::size_t held_max = limits_.part_head_bytes + 2;
  head_ += input_.substr(0, held_max + 1 - held);
  const auto end = head_.find("\r\n\r\n", held - std::min<std::size_t>(held, 3));
  if (end != std::string::npos) {
    input_.remove_prefix(end + 4 - held);
    head_.resize(end + 2);
    return begin_part();
  }
  if (head_.size() > held_max) {
    return malformed(
        fmt::format("a part's headers are longer than {} bytes", limits_.part_head_bytes));
  }
  input_ = {};
  return {};
}

Status MultipartParser::begin_part() {
  if (++parts_ > limits_.parts) {
    return fail(
        ErrorKind::invalid_request,
        fmt::format("The form has more than {} fields. If a file's content was passed to the "
                    "SDK as a bare string or array, it is sent one field per byte: pass a "
                    "file instead (Node: `await toFile(bytes, name)`).",
                    limits_.parts));
  }
  auto part = parse_part_head(std::string_view(head_).substr(2));
  if (!part) return std::unexpected(std::move(part.error()));
  event_ = *std::move(part);
  state_ = State::data;
  return {};
}

}  // namespace offpeak::http
