#include "pipeline/files/filename.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/jsonl/json_text.h"
#include "core/openai/body_fields.h"

namespace offpeak {
namespace {

constexpr std::string_view kNameless = "upload";

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}

}  // namespace

Result<std::string> stored_filename(std::string_view sent) {
  std::string name = utf8_repaired(sent.substr(sent.find_last_of("/\\") + 1));
  std::ranges::replace_if(name, is_control, '_');
  if (name.empty() || name == "." || name == "..") return std::string(kNameless);
  if (name.size() > kFilenameBytesMax) {
    return invalid_param(
        fmt::format("Invalid 'filename': string too long. Expected a string with maximum length "
                    "{}, but got a string with length {} instead.",
                    kFilenameBytesMax, name.size()),
        "string_above_max_length", "filename");
  }
  return name;
}

}  // namespace offpeak
