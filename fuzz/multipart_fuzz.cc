// multipart/form-data: the same events however the body is cut, and a grammar of events that holds.
// The first line of the input is the Content-Type, the rest is the body.
#include <algorithm>
#include <variant>

#include "fuzz/fuzz.h"
#include "platform/http/multipart.h"

namespace http = offpeak::http;
using offpeak::fuzz::require;

namespace {

/// Checks the order of events and writes them as a text.
class Transcript {
 public:
  void add(const http::PartBegin& part) {
    require(!open_ && !ended_, "parts do not nest, and none follows the end");
    open_ = true;
    text_ += "[" + part.name + "|" + part.filename.value_or("-") + "|" + part.content_type + "]";
  }
  void add(const http::PartData& data) {
    require(open_ && !data.bytes.empty(), "data belongs to a part and is not empty");
    data_bytes_ += data.bytes.size();
    text_ += data.bytes;
  }
  void add(const http::PartEnd&) {
    require(open_, "only an open part ends");
    open_ = false;
    text_ += "<end>";
  }
  void add(const http::BodyEnd&) {
    require(!open_ && !ended_, "the body ends once, after its parts");
    ended_ = true;
    text_ += "<close>";
  }
  void fail(const offpeak::Error& error) { text_ += "!" + error.message; }

  bool ended() const { return ended_; }
  std::size_t data_bytes() const { return data_bytes_; }
  const std::string& text() const { return text_; }

 private:
  bool open_ = false;
  bool ended_ = false;
  std::size_t data_bytes_ = 0;
  std::string text_;
};

Transcript parse(std::string_view boundary, std::string_view body, std::size_t piece_bytes) {
  http::MultipartParser parser(boundary, {.part_head_bytes = 200, .parts = 5});
  Transcript transcript;
  for (std::size_t at = 0; at < body.size(); at += piece_bytes) {
    const std::string piece(body.substr(at, piece_bytes));
    parser.feed(piece);
    while (true) {
      const auto event = parser.next();
      if (!event) {
        require(!parser.finish(), "a failed body is not finished");
        transcript.fail(event.error());
        return transcript;
      }
      if (!*event) break;
      std::visit([&](const auto& one) { transcript.add(one); }, **event);
    }
  }
  require(parser.finish().has_value() == transcript.ended(),
          "finished means that the end was seen");
  return transcript;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = offpeak::fuzz::text_of(data, size);
  const auto line_end = std::min(text.find('\n'), text.size());
  const auto boundary = http::parse_boundary(text.substr(0, line_end));
  if (!boundary) return 0;
  require(!boundary->empty() && boundary->size() <= http::kBoundaryBytesMax, "1 to 70 bytes");
  const auto body = text.substr(std::min(line_end + 1, text.size()));
  const auto whole = parse(*boundary, body, std::max<std::size_t>(body.size(), 1));
  require(whole.data_bytes() <= body.size(), "no more data than body");
  for (const std::size_t piece_bytes : {1, 2, 3, 11}) {
    require(parse(*boundary, body, piece_bytes).text() == whole.text(), "cuts change nothing");
  }
  return 0;
}
