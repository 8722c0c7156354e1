#include "pipeline/files/batch_file_check.h"

#include <algorithm>

#include "core/jsonl/json_text.h"

namespace offpeak {
namespace {

/// A first line longer than this is left for intake to judge.
constexpr std::size_t kFirstLineMax = 16u << 20;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

std::unexpected<Error> invalid_format() {
  return fail(ErrorKind::invalid_request, "Invalid file format for Batch API. Must be .jsonl");
}

}  // namespace

void BatchFileCheck::take(std::string_view bytes) {
  empty_ = empty_ && bytes.empty();
  while (!first_line_ended_ && !bytes.empty()) {
    const auto end = bytes.find('\n');
    first_line_ += bytes.substr(0, end);
    bytes.remove_prefix(std::min(bytes.size(), end == std::string_view::npos ? end : end + 1));
    const bool blank = first_line_.find_first_not_of(" \t\r") == std::string::npos;
    first_line_ended_ =
        (end != std::string_view::npos && !blank) || first_line_.size() > kFirstLineMax;
    if (end != std::string_view::npos && blank) first_line_.clear();
  }
}

bool BatchFileCheck::first_line_is_json() const {
  if (first_line_.size() > kFirstLineMax) return true;
  std::string_view line = first_line_;
  if (line.starts_with(kByteOrderMark)) line.remove_prefix(kByteOrderMark.size());
  return matches_json_grammar(line);
}

Status BatchFileCheck::judge(std::string_view filename) const {
  if (empty_ || !first_line_is_json()) return invalid_format();
  return check_batch_filename(filename);
}

Status check_batch_filename(std::string_view filename) {
  if (!filename.ends_with(".jsonl")) return invalid_format();
  return {};
}

}  // namespace offpeak
