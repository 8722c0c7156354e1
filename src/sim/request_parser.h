// An incremental HTTP/1.1 request parser over a caller-owned buffer: Content-Length and chunked
// bodies, keep-alive, pipelining (bytes after the request stay in the buffer). Not hardened: the
// peers of a simulated upstream are our own tests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace offpeak::sim {

struct HttpRequest {
  std::string_view method;
  std::string_view path;  // without the query
  std::string_view body;  // readable for 64 bytes beyond its end when the input buffer is
  std::string_view idempotency_key;
  std::string_view attempt;  // x-offpeak-attempt
  std::string_view content_type;
  bool keep_alive = true;
};

class RequestParser {
 public:
  enum class State { need_more, complete, bad };

  /// `input` begins at the first byte of the request and holds everything received so far; it may
  /// have moved in memory since the last call.
  State parse(std::string_view input);

  /// After complete: views into `input` of that call (a chunked body: into the parser).
  HttpRequest request() const;
  /// After complete: bytes of `input` the request took.
  std::size_t consumed() const { return position_; }
  /// True once, when the client waits for `100 Continue`.
  bool take_expect_continue();
  void reset();

 private:
  enum class Stage { head, body, chunk_size, chunk_data, trailers };
  struct Span {
    std::size_t at = 0;
    std::size_t size = 0;
  };

  State parse_head();
  bool parse_request_line(std::string_view line);
  bool parse_header(std::string_view line);
  bool set_length(std::string_view value);
  State parse_chunks();
  State read_chunk_size();
  State read_chunk_data();
  State read_trailers();
  Span span(std::string_view part) const;
  std::string_view view(Span span) const { return input_.substr(span.at, span.size); }

  std::string_view input_;
  Stage stage_ = Stage::head;
  std::size_t position_ = 0;  // everything before it is understood
  std::size_t scanned_ = 0;   // head: no blank line begins before it
  Span method_, path_, idempotency_key_, attempt_, content_type_;
  std::size_t body_at_ = 0;
  std::uint64_t length_ = 0;  // of the body, or of the current chunk
  std::string decoded_;
  bool chunked_ = false, has_length_ = false, keep_alive_ = true, expect_continue_ = false;
};

}  // namespace offpeak::sim
