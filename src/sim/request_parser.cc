#include "sim/request_parser.h"

#include <strings.h>

#include <charconv>
#include <utility>

namespace offpeak::sim {
namespace {

constexpr std::size_t kHeadLimit = 1 << 20;
constexpr std::uint64_t kBodyLimit = 4ULL << 30;
constexpr std::size_t kParserPadding = 64;

bool same(std::string_view left, std::string_view right) {
  return left.size() == right.size() && strncasecmp(left.data(), right.data(), left.size()) == 0;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

void RequestParser::reset() {
  auto storage = std::move(decoded_);
  storage.clear();
  *this = RequestParser();
  decoded_ = std::move(storage);
}

RequestParser::Span RequestParser::span(std::string_view part) const {
  return {static_cast<std::size_t>(part.data() - input_.data()), part.size()};
}

RequestParser::State RequestParser::parse(std::string_view input) {
  input_ = input;
  if (stage_ == Stage::head) {
    const auto state = parse_head();
    if (state != State::complete) return state;
  }
  if (chunked_) return parse_chunks();
  if (input_.size() - body_at_ < length_) return State::need_more;
  position_ = body_at_ + length_;
  return State::complete;
}

RequestParser::State RequestParser::parse_head() {
  const auto end = input_.find("\r\n\r\n", scanned_);
  if (end == std::string_view::npos) {
    scanned_ = input_.size() < 3 ? 0 : input_.size() - 3;
    return input_.size() > kHeadLimit ? State::bad : State::need_more;
  }
  auto rest = input_.substr(0, end + 2);
  for (bool first = true; !rest.empty(); first = false) {
    const auto line_end = rest.find("\r\n");
    const auto line = rest.substr(0, line_end);
    if (!(first ? parse_request_line(line) : parse_header(line))) return State::bad;
    rest.remove_prefix(line_end + 2);
  }
  if (chunked_ && has_length_) return State::bad;
  position_ = body_at_ = end + 4;
  stage_ = chunked_ ? Stage::chunk_size : Stage::body;
  return State::complete;
}

bool RequestParser::parse_request_line(std::string_view line) {
  const auto first = line.find(' ');
  const auto second = first == std::string_view::npos ? first : line.find(' ', first + 1);
  if (second == std::string_view::npos || first == 0) return false;
  const auto version = line.substr(second + 1);
  if (!version.starts_with("HTTP/1.")) return false;
  keep_alive_ = version != "HTTP/1.0";
  auto target = line.substr(first + 1, second - first - 1);
  method_ = span(line.substr(0, first));
  path_ = span(target.substr(0, target.find('?')));
  return true;
}

bool RequestParser::set_length(std::string_view value) {
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), length_);
  if (has_length_ || error != std::errc() || end != value.data() + value.size()) return false;
  has_length_ = true;
  return length_ <= kBodyLimit;
}

bool RequestParser::parse_header(std::string_view line) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  const auto name = line.substr(0, colon);
  const auto value = trim(line.substr(colon + 1));
  if (same(name, "content-length")) return set_length(value);
  if (same(name, "transfer-encoding")) {
    chunked_ = same(value, "chunked");
    return chunked_;
  }
  if (same(name, "connection")) {
    if (same(value, "close")) keep_alive_ = false;
    if (same(value, "keep-alive")) keep_alive_ = true;
  } else if (same(name, "expect")) {
    expect_continue_ = same(value, "100-continue");
  } else if (same(name, "idempotency-key")) {
    idempotency_key_ = span(value);
  } else if (same(name, "x-offpeak-attempt")) {
    attempt_ = span(value);
  } else if (same(name, "content-type")) {
    content_type_ = span(value);
  }
  return true;
}

RequestParser::State RequestParser::parse_chunks() {
  while (true) {
    const auto state = stage_ == Stage::chunk_size   ? read_chunk_size()
                       : stage_ == Stage::chunk_data ? read_chunk_data()
                                                     : read_trailers();
    if (state == State::bad || state == State::need_more) return state;
    if (stage_ == Stage::body) break;
  }
  decoded_.reserve(decoded_.size() + kParserPadding);
  return State::complete;
}

RequestParser::State RequestParser::read_chunk_size() {
  const auto end = input_.find("\r\n", position_);
  if (end == std::string_view::npos) {
    return input_.size() - position_ > kHeadLimit ? State::bad : State::need_more;
  }
  auto digits = input_.substr(position_, end - position_);
  digits = trim(digits.substr(0, digits.find(';')));
  const auto [stop, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), length_, 16);
  if (error != std::errc() || stop != digits.data() + digits.size()) return State::bad;
  if (length_ > kBodyLimit - decoded_.size()) return State::bad;
  position_ = end + 2;
  stage_ = length_ == 0 ? Stage::trailers : Stage::chunk_data;
  return State::complete;
}

RequestParser::State RequestParser::read_chunk_data() {
  if (input_.size() - position_ < length_ + 2) return State::need_more;
  if (input_.substr(position_ + length_, 2) != "\r\n") return State::bad;
  decoded_.append(input_.substr(position_, length_));
  position_ += length_ + 2;
  stage_ = Stage::chunk_size;
  return State::complete;
}

RequestParser::State RequestParser::read_trailers() {
  const auto end = input_.find("\r\n", position_);
  if (end == std::string_view::npos) return State::need_more;
  if (end == position_) stage_ = Stage::body;
  position_ = end + 2;
  return State::complete;
}

HttpRequest RequestParser::request() const {
  return {.method = view(method_),
          .path = view(path_),
          .body = chunked_ ? std::string_view(decoded_) : input_.substr(body_at_, length_),
          .idempotency_key = view(idempotency_key_),
          .attempt = view(attempt_),
          .content_type = view(content_type_),
          .keep_alive = keep_alive_};
}

bool RequestParser::take_expect_continue() {
  if (stage_ == Stage::head) return false;
  return std::exchange(expect_continue_, false);
}

}  // namespace offpeak::sim
