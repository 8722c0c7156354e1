#include "platform/http/multipart.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace offpeak::http {
namespace {

using testing::HasSubstr;

/// What a parser makes of the body as text, data pieces joined: "[name|filename|type]data." per
/// part,
/// "$" for the end, "!message" for an error.
class Reader {
 public:
  explicit Reader(MultipartLimits limits = {}) : parser_("XX", limits) {}

  Reader& feed(std::string_view piece) {
    const std::string copy(piece);  // of exact size, so that ASan sees a read beyond it
    parser_.feed(copy);
    while (!failed_) {
      auto event = parser_.next();
      failed_ = !event;
      if (failed_) text_ += "!" + event.error().message;
      if (failed_ || !*event) break;
      std::visit([this](const auto& e) { add(e); }, **event);
    }
    return *this;
  }

  std::string finish() {
    const auto status = parser_.finish();
    if (!status && !failed_) text_ += "!" + status.error().message;
    return text_;
  }

 private:
  void add(const PartBegin& part) {
    text_ += fmt::format("[{}|{}|{}]", part.name, part.filename.value_or("-"), part.content_type);
  }
  void add(const PartData& data) {
    EXPECT_FALSE(data.bytes.empty());
    text_ += data.bytes;
  }
  void add(const PartEnd&) { text_ += "."; }
  void add(const BodyEnd&) { text_ += "$"; }

  MultipartParser parser_;
  bool failed_ = false;
  std::string text_;
};

std::string read(std::string_view body) {
  return Reader().feed(body).finish();
}

std::string part(std::string_view disposition, std::string_view data) {
  return fmt::format("--XX\r\nContent-Disposition: form-data; {}\r\n\r\n{}\r\n", disposition, data);
}

std::string read_disposition(std::string_view disposition) {
  return read(part(disposition, "") + "--XX--");
}

const std::string kUpload =
    "--XX\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n"
    "--XX\r\ncontent-disposition: form-data; name=\"file\"; filename=\"in.jsonl\"\r\n"
    "Content-Type: application/jsonl\r\n\r\n{\"a\":1}\r\n{\"b\":2}\n\r\n--XX--\r\n";

TEST(Multipart, ReadsFieldsAndFiles) {
  EXPECT_EQ(read(kUpload),
            "[purpose|-|]batch.[file|in.jsonl|application/jsonl]{\"a\":1}\r\n{\"b\":2}\n.$");
}

TEST(Multipart, EverySplitGivesTheSame) {
  const std::string bodies[] = {
      kUpload,
      "preamble\r\n--X\r\n" + part("name=a", "") + part("name=b", "\r\n--X\r\r\n--\r\n-XX\r") +
          "--XX-- epilogue\r\n--XX\r\n",
      part("name=a", "\r\r\n\r\n--XY\r\n\r\n--X") + "--XX \t\r\n\r\n",
      part("name=a", "x") + "--XXx",
      part("name=a", "unfinished\r\n--X"),
      "--XX\r\nno colon\r\n\r\n",
  };
  for (const auto& body : bodies) {
    const auto whole = read(body);
    for (std::size_t i = 0; i <= body.size(); ++i) {
      for (std::size_t j = i; j <= body.size(); ++j) {
        Reader reader;
        reader.feed(body.substr(0, i)).feed(body.substr(i, j - i)).feed(body.substr(j));
        ASSERT_EQ(reader.finish(), whole) << "split at " << i << " and " << j;
      }
    }
    Reader bytewise;
    for (const char c : body) bytewise.feed({&c, 1});
    EXPECT_EQ(bytewise.finish(), whole);
  }
}

TEST(Multipart, DataThatLooksLikeABoundaryIsData) {
  const std::string tricky = "--XX\r\n--X\r\n\r\n--\r\nXX--\r\r\n--";
  EXPECT_EQ(read(part("name=a", tricky) + "--XX--"), "[a|-|]" + tricky + ".$");
}

TEST(Multipart, SkipsPreambleEpilogueAndPadding) {
  EXPECT_EQ(
      read("hello\r\n--XX  \t\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--XX--junk"),
      "[a|-|]1.$");
  EXPECT_EQ(read("--XX--"), "$");
}

TEST(Multipart, NamesAndFilenames) {
  EXPECT_EQ(read_disposition(R"(name="expires_after[anchor]")"), "[expires_after[anchor]|-|].$");
  EXPECT_EQ(read_disposition(R"(name=file; filename="a;b=c.jsonl")"), "[file|a;b=c.jsonl|].$");
  EXPECT_EQ(read_disposition(R"(name="file"; filename="Zeilen-ü-日本.jsonl")"),
            "[file|Zeilen-ü-日本.jsonl|].$");
  EXPECT_EQ(read_disposition(R"(name="f"; filename="a%22b%41.jsonl")"), "[f|a\"b%41.jsonl|].$");
  EXPECT_EQ(read_disposition(R"(name="f"; filename="a\"b\\c\d.jsonl")"), R"([f|a"b\c\d.jsonl|].$)");
  EXPECT_EQ(read_disposition(R"(name="f"; filename="")"), "[f||].$");
  EXPECT_EQ(read_disposition(R"(name="f"; filename*=UTF-8'en'%e2%82%ac%20x; filename="y";)"),
            "[f|€ x|].$");
}

TEST(Multipart, RefusesBodiesWithoutTheClosingBoundary) {
  for (const auto* body : {"", "--XX", "--XX-", "no boundary at all", "--XX\r\n"}) {
    EXPECT_THAT(read(body), HasSubstr("closing boundary")) << body;
  }
  EXPECT_EQ(read(part("name=a", "1")),
            "[a|-|]1!Malformed multipart/form-data body: it ends before its closing boundary.");
}

TEST(Multipart, RefusesMalformedParts) {
  for (const auto* head : {
           "",
           "Content-Type: text/plain\r\n",
           "Content-Disposition: form-data\r\n",
           "Content-Disposition: attachment; name=a\r\n",
           "Content-Disposition: form-data; name=\"a\r\n",
           "Content-Disposition: form-data; name=\"a\"b\r\n",
           "Content-Disposition: form-data; name=a; name=b\r\n",
           "Content-Disposition: form-data; name=a\r\nContent-Disposition: form-data; name=b\r\n",
           "Content-Disposition: form-data;\r\n name=a\r\n",
           "Content-Disposition: form-data; name=a\r\n: x\r\n",
           "Content-Disposition: form-data; name=a; filename*=latin1''x\r\n",
           "Content-Disposition: form-data; name=a; filename*=UTF-8''%f\r\n",
           "Content-Disposition: form-data; name=\"a\nb\"\r\n",
           "Content-Disposition form-data; name=a\r\n",
       }) {
    const auto body = fmt::format("--XX\r\n{}\r\n1\r\n--XX--", head);
    EXPECT_TRUE(read(body).starts_with("!Malformed multipart/form-data body: a part")) << head;
  }
}

TEST(Multipart, RefusesJunkBehindABoundary) {
  for (const auto* tail : {"x", "-x", " --", "\rx", "\n", "--x"}) {
    const auto text = read(std::string("--XX") + tail);
    EXPECT_EQ(text.starts_with("!"), std::string_view(tail) != "--x") << tail << text;
  }
  EXPECT_THAT(read("--XX" + std::string(1000, ' ')), HasSubstr("something else"));
}

TEST(Multipart, LimitsPartHeads) {
  const auto body = [](std::size_t bytes) {
    const std::string disposition = "Content-Disposition: form-data; name=a\r\nX: ";
    return "--XX\r\n" + disposition + std::string(bytes - disposition.size() - 2, 'x') +
           "\r\n\r\n1\r\n--XX--";
  };
  const MultipartLimits limits{.part_head_bytes = 100};
  EXPECT_EQ(Reader(limits).feed(body(98)).finish(), "[a|-|]1.$");
  EXPECT_THAT(Reader(limits).feed(body(101)).finish(), HasSubstr("longer than 100 bytes"));
  EXPECT_THAT(Reader(limits).feed("--XX\r\n" + std::string(5000, 'x')).finish(),
              HasSubstr("longer than 100 bytes"));
}

TEST(Multipart, LimitsParts) {
  const auto three = part("name=0", "a") + part("name=1", "b") + part("name=2", "c") + "--XX--";
  EXPECT_EQ(Reader({.parts = 3}).feed(three).finish(), "[0|-|]a.[1|-|]b.[2|-|]c.$");
  EXPECT_THAT(Reader({.parts = 2}).feed(three).finish(), HasSubstr("more than 2 fields"));
}

TEST(Multipart, ErrorsAreFinal) {
  MultipartParser parser("XX");
  parser.feed("--XX\r\nbad\r\n\r\n");
  EXPECT_FALSE(parser.next());
  parser.feed(kUpload);
  EXPECT_FALSE(parser.next());
  EXPECT_EQ(parser.finish().error().kind, ErrorKind::invalid_request);
}

TEST(Boundary, IsReadFromTheContentType) {
  EXPECT_EQ(parse_boundary("multipart/form-data; boundary=abc"), "abc");
  EXPECT_EQ(parse_boundary("Multipart/Form-Data ;charset=utf-8; Boundary=\"a b:c\""), "a b:c");
  EXPECT_EQ(parse_boundary("multipart/form-data; boundary=----WebKitFormBoundary'()+_,-./:=?"),
            "----WebKitFormBoundary'()+_,-./:=?");
  EXPECT_EQ(parse_boundary("multipart/form-data; boundary=" + std::string(70, 'x')),
            std::string(70, 'x'));
}

TEST(Boundary, RefusesWhatIsNone) {
  for (const std::string& type :
       {std::string(), std::string("application/json"), std::string("multipart/form-data"),
        std::string("multipart/form-data; boundary="),
        std::string("multipart/form-data; boundary=\"\""),
        std::string("multipart/mixed; boundary=a"),
        std::string("multipart/form-data; boundary=\"a"),
        std::string("multipart/form-data; boundary=\"a \""),
        std::string("multipart/form-data; boundary=\"a\rb\""),
        "multipart/form-data; boundary=" + std::string(71, 'x')}) {
    EXPECT_EQ(parse_boundary(type), std::nullopt) << type;
  }
}

}  // namespace
}  // namespace offpeak::http
