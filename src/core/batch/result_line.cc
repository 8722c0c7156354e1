#include "core/batch/result_line.h"

#include <fmt/format.h>

#include <cstring>

#include "base/hash.h"
#include "core/jsonl/json_text.h"

namespace offpeak {
namespace {

void put_hex(std::uint64_t value, char* out) {
  static constexpr char kDigits[] = "0123456789abcdef";
  for (int i = 15; i >= 0; --i, value >>= 4) out[i] = kDigits[value & 15];
}

void append_start(std::string& out, const RowName& name, std::string_view custom_id) {
  out += R"({"id": "batch_req_)";
  out += name.hex();
  out += R"(", "custom_id": )";
  out += custom_id;
}

/// Copies JSON without its line breaks; in valid JSON they stand between tokens only.
void append_unbroken(std::string& out, std::string_view json) {
  while (!json.empty()) {
    const std::size_t line = std::min(json.find('\n'), json.size());
    std::string_view part = json.substr(0, line);
    for (std::size_t cr; (cr = part.find('\r')) != std::string_view::npos;) {
      out += part.substr(0, cr);
      part.remove_prefix(cr + 1);
    }
    out += part;
    json.remove_prefix(std::min(line + 1, json.size()));
  }
}

void append_wrapped(std::string& out, std::string_view text) {
  out += R"({"error": {"message": )";
  out += encode_json_string(text);
  out += R"(, "type": "upstream_error", "param": null, "code": null}})";
}

}  // namespace

RowName::RowName(std::uint64_t batch_seed, std::uint32_t row) {
  char bytes[12];
  std::memcpy(bytes, &batch_seed, 8);
  std::memcpy(bytes + 8, &row, 4);
  put_hex(hash64({bytes, sizeof bytes}, 1), hex_);
  // The row itself in the second half makes names unique within a batch, whatever the hash does.
  put_hex(hash64({bytes, 8}, 2) << 32 | row, hex_ + 16);
}

void append_answer_line(std::string& out, const RowName& name, const AnswerLine& line) {
  append_start(out, name, line.custom_id);
  fmt::format_to(std::back_inserter(out), R"(, "response": {{"status_code": {}, "request_id": )",
                 line.status);
  if (line.request_id.empty()) {
    out += '"';
    out += name.hex();
    out += '"';
  } else {
    out += encode_json_string(line.request_id);
  }
  out += R"(, "body": )";
  if (line.json_valid) {
    append_unbroken(out, line.body);
  } else {
    append_wrapped(out, line.body);
  }
  out += "}, \"error\": null}\n";
}

void append_error_line(std::string& out, const RowName& name, std::string_view custom_id,
                       std::string_view code, std::string_view message) {
  append_start(out, name, custom_id);
  out += R"(, "response": null, "error": {"code": )";
  out += encode_json_string(code);
  out += R"(, "message": )";
  out += encode_json_string(message);
  out += "}}\n";
}

}  // namespace offpeak
