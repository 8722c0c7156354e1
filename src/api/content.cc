#include "api/content.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include "api/error_response.h"
#include "platform/http/url.h"
#include "platform/observe/log.h"

namespace offpeak {
namespace {

constexpr std::size_t kPieceBytes = 256 * 1024;

struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t length = 0;
};

std::optional<std::uint64_t> parse_u64(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// nullopt: no range asked for, or one to be ignored. A range outside the file has length 0.
std::optional<ByteRange> parse_range(std::string_view header, std::uint64_t size) {
  constexpr std::string_view kUnit = "bytes=";
  if (!http::iequals(header.substr(0, kUnit.size()), kUnit) || header.contains(',')) {
    return std::nullopt;
  }
  header.remove_prefix(kUnit.size());
  const auto dash = header.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto first = parse_u64(header.substr(0, dash));
  const auto last = parse_u64(header.substr(dash + 1));
  const bool open_end = dash + 1 == header.size();
  if (dash == 0) {
    if (!last) return std::nullopt;
    const std::uint64_t length = std::min(*last, size);
    return ByteRange{size - length, length};
  }
  if (!first || (!last && !open_end) || (last && *last < *first)) return std::nullopt;
  if (*first >= size) return ByteRange{*first, 0};
  const std::uint64_t end = open_end || *last >= size ? size : *last + 1;
  return ByteRange{*first, end - *first};
}

/// RFC 6266: the name for clients that read the plain form, then the whole name.
std::string content_disposition(std::string_view filename) {
  std::string plain;
  for (const char c : filename) {
    const bool kept = c >= ' ' && c < 0x7F && c != '"' && c != '\\' && c != '%';
    plain += kept ? c : '_';
  }
  return fmt::format("attachment; filename=\"{}\"; filename*=UTF-8''{}", plain,
                     http::percent_encode(filename));
}

class ContentStream final : public http::ResponseStream {
 public:
  ContentStream(FileReader reader, ByteRange range, Workers& workers)
      : reader_(std::move(reader)),
        workers_(workers),
        offset_(range.first),
        left_(range.length),
        length_(range.length),
        piece_(std::min<std::uint64_t>(kPieceBytes, range.length)) {}

  std::optional<std::uint64_t> length() const override { return length_; }

  Task<Result<std::string_view>> next() override {
    const std::size_t wanted = std::min<std::uint64_t>(left_, piece_.size());
    if (wanted == 0) co_return std::string_view();
    auto read = [this, wanted] {
      return reader_.read_at(offset_, std::span(piece_).first(wanted));
    };
    const auto count = co_await offload(workers_, std::move(read));
    if (!count) {
      log::error("files", "a download breaks off: {}", count.error().message);
      co_return std::unexpected(count.error());
    }
    offset_ += *count;
    left_ -= *count;
    co_return std::string_view(piece_.data(), *count);
  }

 private:
  FileReader reader_;
  Workers& workers_;
  std::uint64_t offset_;
  std::uint64_t left_;
  std::uint64_t length_;
  std::vector<char> piece_;
};

}  // namespace

http::Response content_response(const FileRecord& file, FileReader reader,
                                const http::Request& request, Workers& workers) {
  const std::string etag = fmt::format("\"{}\"", file.id);
  const std::string_view condition = request.header("if-range");
  const bool ranged = condition.empty() || condition == etag;
  const auto asked = parse_range(ranged ? request.header("range") : "", file.bytes);
  if (asked && asked->length == 0) {
    auto response = error_response(
        {ErrorKind::invalid_request, "The requested range is outside the file.", "invalid_range"});
    response.status = 416;
    response.headers.push_back({"content-range", fmt::format("bytes */{}", file.bytes)});
    return response;
  }
  const ByteRange range = asked.value_or(ByteRange{0, file.bytes});
  http::Response response{.status = asked ? 206 : 200};
  response.headers = {{"content-type", "application/octet-stream"},
                      {"content-disposition", content_disposition(file.filename)},
                      {"accept-ranges", "bytes"},
                      {"etag", etag}};
  if (asked) {
    response.headers.push_back(
        {"content-range",
         fmt::format("bytes {}-{}/{}", range.first, range.first + range.length - 1, file.bytes)});
  }
  response.body = std::make_unique<ContentStream>(std::move(reader), range, workers);
  return response;
}

}  // namespace offpeak
