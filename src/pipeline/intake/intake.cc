#include "pipeline/intake/intake.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <set>
#include <unordered_map>
#include <utility>

#include "base/hash.h"
#include "core/jsonl/dispatch_order.h"
#include "core/jsonl/json_text.h"
#include "core/jsonl/line_check.h"
#include "core/jsonl/line_framer.h"
#include "core/jsonl/row_index.h"
#include "pipeline/intake/duplicates.h"
#include "pipeline/intake/error_list.h"
#include "pipeline/results/part.h"

namespace offpeak {
namespace {

constexpr std::size_t kReadBytes = 1u << 20;
constexpr std::size_t kIndexBufferBytes = 1u << 20;
/// Rows are numbered by 32 bits, so even an unlimited batch ends here.
constexpr std::uint64_t kRowsMax = std::numeric_limits<std::uint32_t>::max();

/// Calls `on_line` for each line of the file that is not blank.
Status for_each_line(const FileReader& input, std::uint64_t line_bytes_max,
                     const std::function<Status(const Line&)>& on_line) {
  LineFramer framer(kReadBytes, line_bytes_max);
  for (std::uint64_t offset = 0;;) {
    const auto count = input.read_at(offset, framer.space());
    if (!count) return std::unexpected(count.error());
    framer.fill(*count);
    offset += *count;
    while (const auto line = framer.next()) {
      if (auto ok = on_line(*line); !ok) return ok;
    }
    if (*count == 0) return {};
  }
}

/// custom_ids that differ only in how they are escaped are the same.
std::string_view decoded_id(std::string_view literal, std::string& scratch) {
  if (!literal.contains('\\')) return literal.substr(1, literal.size() - 2);
  scratch = decode_json_string(literal).value_or(std::string(literal));
  return scratch;
}

/// Reads prompts back for the dispatch order, through the index just written.
class StoredPrompts final : public PromptSource {
 public:
  StoredPrompts(const AppendBlob& index, const FileReader& input) : index_(index), input_(input) {}

  Result<std::size_t> read(std::uint32_t row, std::size_t depth, std::span<char> out) override {
    std::array<char, kRowEntryBytes> bytes;
    const auto count = index_.read_at(std::uint64_t{row} * kRowEntryBytes, bytes);
    if (!count) return count;
    const auto entry = decode_row_entry(bytes);
    if (!entry) return fail(ErrorKind::internal, "A row index just written reads back damaged.");
    const Slice& prompt = entry->parts.prompt;
    if (depth >= prompt.length) return 0;
    const auto wanted = std::min<std::size_t>(out.size(), prompt.length - depth);
    return input_.read_at(entry->offset + prompt.offset + depth, out.first(wanted));
  }

 private:
  const AppendBlob& index_;
  const FileReader& input_;
};

class IntakeRun {
 public:
  IntakeRun(const IntakeLimits& limits, const IntakeJob& job, AppendBlob& index, std::uint64_t seed)
      : limits_(limits),
        rows_max_(std::min(limits.rows, kRowsMax)),
        job_(job),
        index_(index),
        checker_(job.endpoint),
        ids_(seed),
        errors_(limits.listed_errors) {}

  Result<IntakeVerdict> run();

 private:
  Status on_line(const Line& line);
  std::optional<LineError> check_against_file(const Line& line, const CheckedLine& parts);
  std::optional<LineError> check_model(std::string_view literal);
  Status add_row(const Line& line, const CheckedLine& parts);
  Status flush_index();
  Status find_duplicates();
  void check_whole_file();
  Status write_order();

  const IntakeLimits& limits_;
  const std::uint64_t rows_max_;
  const IntakeJob& job_;
  AppendBlob& index_;
  LineChecker checker_;
  CustomIdHashes ids_;
  ErrorList errors_;
  DispatchOrder order_;
  std::string index_buffer_;
  std::string scratch_;
  std::string model_literal_;  // of the first row; empty string literal while none was seen
  bool model_seen_ = false;
  std::optional<Error> interrupted_;
  std::uint64_t lines_ = 0;
  std::uint64_t inputs_ = 0;
  std::uint64_t prompt_tokens_ = 0;
};

LineError at_line(LineError error, std::uint64_t line) {
  error.line = line;
  return error;
}

Status IntakeRun::on_line(const Line& line) {
  ++lines_;
  if (lines_ > rows_max_) return {};
  if (line.too_long) {
    errors_.add({.code = "line_too_long",
                 .message = fmt::format("This line is {} bytes long; at most {} are accepted "
                                        "(limits.line_bytes). Split the request.",
                                        line.full_bytes, limits_.line_bytes),
                 .line = line.number});
    return {};
  }
  const auto parts = checker_.check(line.text);
  if (!parts) {
    errors_.add(at_line(parts.error(), line.number));
    return {};
  }
  if (auto error = check_against_file(line, *parts)) errors_.add(at_line(*error, line.number));
  if (interrupted_) return std::unexpected(*interrupted_);
  return add_row(line, *parts);
}

std::optional<LineError> IntakeRun::check_against_file(const Line& line, const CheckedLine& parts) {
  ids_.add(decoded_id(parts.custom_id.of(line.text), scratch_));
  inputs_ += parts.inputs;
  const std::string_view model = parts.model.length == 0 ? "\"\"" : parts.model.of(line.text);
  if (model_seen_ && model == model_literal_) return std::nullopt;
  return check_model(model);
}

std::optional<LineError> IntakeRun::check_model(std::string_view literal) {
  const std::string model = decode_json_string(literal).value_or(std::string(literal));
  if (auto known = job_.check_model(model); !known) {
    if (known.error().kind == ErrorKind::unavailable) interrupted_ = known.error();
    if (model.empty()) {
      return LineError{.code = "invalid_request",
                       .message = "Model parameter is required.",
                       .param = "body.model"};
    }
    return LineError{
        .code = "model_not_found", .message = known.error().message, .param = "body.model"};
  }
  if (!model_seen_) {
    model_seen_ = true;
    model_literal_ = literal;
    return std::nullopt;
  }
  if (model == decode_json_string(model_literal_)) return std::nullopt;
  return LineError{.code = "mismatched_model",
                   .message = fmt::format(
                       "The model '{}' for this request does not match the rest of the batch. "
                       "Each batch must contain requests for a single model.",
                       model),
                   .param = "body.model"};
}

Status IntakeRun::add_row(const Line& line, const CheckedLine& parts) {
  prompt_tokens_ += parts.token_estimate;
  if (!errors_.empty()) return {};  // there will be no index
  order_.add(parts.prompt.of(line.text));
  const RowEntry entry{line.offset, static_cast<std::uint32_t>(line.text.size()), parts};
  std::array<char, kRowEntryBytes> bytes;
  encode(entry, bytes);
  index_buffer_.append(bytes.data(), bytes.size());
  return index_buffer_.size() < kIndexBufferBytes ? Status() : flush_index();
}

Status IntakeRun::flush_index() {
  if (index_buffer_.empty()) return {};
  auto written = index_.append(index_buffer_);
  if (written) index_buffer_.clear();
  return written;
}

Status IntakeRun::find_duplicates() {
  const auto repeated = ids_.take_repeated();
  if (repeated.empty()) return {};
  std::unordered_map<std::uint64_t, std::set<std::string>> texts;
  return for_each_line(job_.input, limits_.line_bytes, [&](const Line& line) -> Status {
    const auto parts = line.too_long ? std::unexpected(LineError{}) : checker_.check(line.text);
    if (!parts) return {};
    const auto id = decoded_id(parts->custom_id.of(line.text), scratch_);
    const std::uint64_t hash = ids_.hash_of(id);
    if (!repeated.contains(hash) || texts[hash].emplace(id).second) return {};
    errors_.add(
        {.code = "duplicate_custom_id",
         .message = fmt::format("The custom_id '{}' for this request is a duplicate of "
                                "another request. The custom_id parameter must be unique for "
                                "each request in a batch.",
                                id),
         .param = "custom_id",
         .line = line.number});
    return {};
  });
}

void IntakeRun::check_whole_file() {
  if (lines_ == 0) {
    errors_.add({.code = "empty_file",
                 .message =
                     "The input file is empty. Please ensure that the batch contains at least "
                     "one request."});
  }
  if (lines_ > rows_max_) {
    errors_.add({.code = "too_many_tasks",
                 .message = fmt::format("The batch contains {} requests, more than the {} allowed "
                                        "(limits.rows). Split it into several batches.",
                                        lines_, rows_max_)});
  }
  if (inputs_ > limits_.embedding_inputs && checker_.rules().counts_inputs) {
    errors_.add({.code = "too_many_tasks",
                 .message = fmt::format("The batch contains {} embedding inputs, more than the {} "
                                        "allowed (limits.embedding_inputs).",
                                        inputs_, limits_.embedding_inputs),
                 .param = "body.input"});
  }
}

Status IntakeRun::write_order() {
  StoredPrompts prompts(index_, job_.input);
  if (auto sorted = order_.finish(prompts); !sorted) return sorted;
  std::string bytes(4 * order_.rows(), '\0');
  for (std::size_t i = 0; i < order_.rows(); ++i) {
    const std::uint32_t row = order_.row_at(i);
    std::memcpy(bytes.data() + 4 * i, &row, 4);
  }
  const IndexTrailer trailer{.rows = order_.rows(),
                             .order_hash = hash64(bytes, 0),
                             .input_bytes = job_.input.size(),
                             .prompt_tokens = prompt_tokens_};
  if (auto written = index_.append(bytes); !written) return written;
  std::array<char, kIndexTrailerBytes> end;
  encode(trailer, end);
  if (auto written = index_.append({end.data(), end.size()}); !written) return written;
  return index_.sync();
}

Result<IntakeVerdict> IntakeRun::run() {
  const auto read = for_each_line(job_.input, limits_.line_bytes,
                                  [&](const Line& line) { return on_line(line); });
  if (!read) return std::unexpected(read.error());
  check_whole_file();
  if (auto found = find_duplicates(); !found) return std::unexpected(found.error());
  if (!errors_.empty()) return errors_.take();
  if (auto written = flush_index(); !written) return std::unexpected(written.error());
  if (auto written = write_order(); !written) return std::unexpected(written.error());
  return IntakeSummary{.rows = order_.rows(),
                       .requested_model = decode_json_string(model_literal_).value_or(""),
                       .prompt_tokens = prompt_tokens_};
}

/// The model that the first row asks for; empty if that row is not valid.
Result<std::string> first_model(const IntakeLimits& limits, const IntakeJob& job) {
  LineFramer framer(kReadBytes, limits.line_bytes);
  for (std::uint64_t offset = 0;;) {
    const auto count = job.input.read_at(offset, framer.space());
    if (!count) return std::unexpected(count.error());
    framer.fill(*count);
    offset += *count;
    const auto line = framer.next();
    if (!line && *count > 0) continue;
    if (!line || line->too_long) return "";
    const auto parts = LineChecker(job.endpoint).check(line->text);
    if (!parts || parts->model.length == 0) return "";
    return decode_json_string(parts->model.of(line->text)).value_or("");
  }
}

LineError file_too_large(std::uint64_t bytes_max, std::string_view model) {
  return {.code = "file_too_large",
          .message =
              fmt::format("The batch input file is larger than the {} maximum{}. Please try "
                          "again with a smaller batch.",
                          bytes_max, model.empty() ? "" : fmt::format(" for the {} model", model))};
}

}  // namespace

Result<IntakeVerdict> run_intake(BlobStore& blobs, Random& random, const IntakeLimits& limits,
                                 const IntakeJob& job) {
  if (job.input.size() > limits.file_bytes) {
    const auto model = first_model(limits, job);
    if (!model) return std::unexpected(model.error());
    if (auto removed = blobs.remove(index_key(job.batch)); !removed) {
      return std::unexpected(removed.error());
    }
    return std::vector{file_too_large(limits.file_bytes, *model)};
  }
  auto index = blobs.open_append(index_key(job.batch));
  if (!index) return std::unexpected(index.error());
  if (auto cut = (*index)->truncate(0); !cut) return std::unexpected(cut.error());
  auto verdict = IntakeRun(limits, job, **index, random.u64()).run();
  if (!verdict || std::holds_alternative<std::vector<LineError>>(*verdict)) {
    index->reset();
    static_cast<void>(blobs.remove(index_key(job.batch)));
  }
  return verdict;
}

}  // namespace offpeak
