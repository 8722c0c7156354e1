#include "sim/json_text.h"

#include <fmt/format.h>

#include <iterator>

namespace offpeak::sim {
namespace {

constexpr std::string_view kOddMembers =
    R"("zz_big":1000000000000000000000000000000,"exp":1.0E+2,"exp2":1e0005,"neg_zero":-0.0,)"
    R"("long":0.10000000000000000000000001,"aa":"\u00e9\/\ud83d\ude00\u0009\"\\",)"
    "\"raw\":\"\u00e9\U0001F600\u2028\",\"ke\\u0079\":{\"b\":{\"a\":{\"z\":[1, 2 ,3],\"y\":{}}}},"
    "\"dup\":1,\"dup\":2,\"spaced\" :\t[ ] ,";

void new_line(std::size_t depth, std::string& out) {
  out += "\r\n";
  out.append(2 * depth, ' ');
}

}  // namespace

void append_escaped(std::string_view text, std::string& out) {
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
}

std::string json_string(std::string_view text) {
  std::string out = "\"";
  append_escaped(text, out);
  return out += '"';
}

std::string pretty_printed(std::string_view object) {
  std::string out;
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < object.size(); ++i) {
    const char c = object[i];
    if (in_string) {
      out += c;
      if (c == '\\') {
        out += object[++i];
      } else if (c == '"') {
        in_string = false;
      }
      continue;
    }
    in_string = c == '"';
    if (c == '}' || c == ']') new_line(--depth, out);
    out += c;
    if (c == '{' || c == '[') new_line(++depth, out);
    if (c == ',') new_line(depth, out);
    if (c == ':') out += ' ';
  }
  out += "\r\n";
  return out;
}

std::string with_odd_members(std::string_view object) {
  std::string out = "{";
  out += kOddMembers;
  out += object.substr(1);
  return out;
}

std::string with_padding(std::string_view object, std::size_t bytes) {
  std::string out;
  out.reserve(object.size() + bytes + 16);
  out += object.substr(0, object.size() - 1);
  out += ",\"padding\":\"";
  out.append(bytes, 'x');
  out += "\"}";
  return out;
}

}  // namespace offpeak::sim
