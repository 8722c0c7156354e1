#include "app/cli/file_check.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "core/jsonl/json_scan.h"
#include "core/jsonl/json_text.h"
#include "core/jsonl/line_check.h"
#include "core/jsonl/line_framer.h"

namespace offpeak::cli {
namespace {

constexpr std::size_t kModelsNamed = 100;
constexpr std::size_t kChunkBytes = 1 << 20;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  ~FileDescriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

CliError unreadable(const std::filesystem::path& file, int errno_value) {
  return {.what = fmt::format("cannot read {}: {}", file.string(), std::strerror(errno_value))};
}

/// The decoded "url" of a line that is a JSON object; "" if it has none.
std::string url_of(std::string_view line) {
  JsonValidator validator;
  if (!validator.valid(line)) return {};
  const char* const object = skip_json_space(line.data());
  if (*object != '{') return {};
  JsonMembers members(object);
  while (members.next()) {
    if (members.key() != "url") continue;
    const auto value = members.value();
    if (!value.starts_with('"')) return {};
    return decode_json_string(value).value_or("");
  }
  return {};
}

class Checker {
 public:
  explicit Checker(const LimitsConfig& limits) : limits_(limits) {}

  void line(const Line& line) {
    ++result_.rows;
    if (line.too_long) {
      refuse(line.number, "line_too_long",
             fmt::format("This line is {} bytes long; at most {} are accepted (limits.line_bytes). "
                         "Split the request.",
                         line.full_bytes, limits_.line_bytes),
             "");
      return;
    }
    if (!checker_) choose_endpoint(line.text);
    const auto checked = checker_ ? checker_->check(line.text) : LineChecker("").check(line.text);
    if (!checked) {
      auto error = checked.error();
      if (line.number == 1 && line.text.starts_with(kByteOrderMark)) {
        error.message += " The file starts with a byte order mark: save it as UTF-8 without BOM.";
      }
      refuse(line.number, error.code, std::move(error.message), std::move(error.param));
      return;
    }
    row(line, *checked);
  }

  FileCheck finish(const std::filesystem::path& file) {
    if (file.extension() != ".jsonl") {
      refuse(0, "invalid_file_format",
             "Invalid file format for Batch API. Must be .jsonl: rename the file.", "");
    }
    if (result_.rows == 0) {
      refuse(0, "empty_file",
             "The input file is empty. Please ensure that the batch contains at least one request.",
             "");
    }
    if (result_.rows > limits_.rows) {
      refuse(0, "too_many_tasks",
             fmt::format("The batch contains {} requests, more than the {} allowed (limits.rows). "
                         "Split it into several batches.",
                         result_.rows, limits_.rows),
             "");
    }
    if (result_.bytes > limits_.batch_file_bytes) {
      refuse(0, "file_too_large",
             fmt::format("The batch input file is larger than the {} maximum "
                         "(limits.batch_file_bytes). Please try again with a smaller batch.",
                         limits_.batch_file_bytes),
             "");
    }
    if (inputs_ > limits_.embedding_inputs && result_.endpoint == "/v1/embeddings") {
      refuse(0, "too_many_tasks",
             fmt::format("The batch contains {} embedding inputs, more than the {} allowed "
                         "(limits.embedding_inputs).",
                         inputs_, limits_.embedding_inputs),
             "body.input");
    }
    return std::move(result_);
  }

  void count_bytes(std::uint64_t bytes) { result_.bytes += bytes; }

 private:
  void choose_endpoint(std::string_view text) {
    result_.endpoint = url_of(text);
    if (!result_.endpoint.empty()) checker_.emplace(result_.endpoint);
  }

  void row(const Line& line, const CheckedLine& checked) {
    inputs_ += checked.inputs;
    const auto literal = checked.custom_id.of(line.text);
    const auto custom_id = decode_json_string(literal).value_or(std::string(literal));
    if (!custom_ids_.insert(custom_id).second) {
      refuse(
          line.number, "duplicate_custom_id",
          fmt::format("The custom_id '{}' for this request is a duplicate of another request. The "
                      "custom_id parameter must be unique for each request in a batch.",
                      custom_id),
          "custom_id");
    }
    const auto model = checked.model.length == 0
                           ? std::string{}
                           : decode_json_string(checked.model.of(line.text)).value_or("");
    if (!first_model_) first_model_ = model;
    note_model(model);
    if (model == *first_model_) return;
    refuse(line.number, "mismatched_model",
           fmt::format("The model '{}' for this request does not match the rest of the batch. Each "
                       "batch must contain requests for a single model.",
                       model),
           "body.model");
  }

  void note_model(const std::string& model) {
    if (model.empty() || result_.models.size() == kModelsNamed) return;
    if (std::ranges::find(result_.models, model) == result_.models.end()) {
      result_.models.push_back(model);
    }
  }

  void refuse(std::uint64_t line, std::string code, std::string message, std::string param) {
    ++result_.errors_total;
    if (result_.errors.size() >= limits_.listed_errors) return;
    result_.errors.push_back({.code = std::move(code),
                              .message = std::move(message),
                              .param = std::move(param),
                              .line = line});
  }

  const LimitsConfig& limits_;
  std::optional<LineChecker> checker_;
  boost::unordered_flat_set<std::string> custom_ids_;
  std::optional<std::string> first_model_;  // "" for a row that names none
  std::uint64_t inputs_ = 0;
  FileCheck result_;
};

}  // namespace

CliResult<FileCheck> check_file(const std::filesystem::path& file, const LimitsConfig& limits) {
  const FileDescriptor fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) return std::unexpected(unreadable(file, errno));
  struct stat info{};
  if (::fstat(fd.get(), &info) == 0 && S_ISDIR(info.st_mode)) {
    return std::unexpected(unreadable(file, EISDIR));
  }
  Checker checker(limits);
  LineFramer framer(kChunkBytes, limits.line_bytes);
  while (true) {
    const auto space = framer.space();
    const auto count = ::read(fd.get(), space.data(), space.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return std::unexpected(unreadable(file, errno));
    framer.fill(static_cast<std::size_t>(count));
    checker.count_bytes(static_cast<std::uint64_t>(count));
    while (const auto line = framer.next()) checker.line(*line);
    if (count == 0) return checker.finish(file);
  }
}

std::string to_json(const FileCheck& check, const std::filesystem::path& file) {
  boost::json::array errors;
  for (const auto& error : check.errors) {
    boost::json::object object{{"code", error.code}, {"message", error.message}};
    object["param"] = error.param.empty() ? boost::json::value() : boost::json::value(error.param);
    object["line"] = error.line == 0 ? boost::json::value() : boost::json::value(error.line);
    errors.push_back(std::move(object));
  }
  const boost::json::object object{
      {"object", "file_check"},
      {"path", file.string()},
      {"ok", check.ok()},
      {"bytes", check.bytes},
      {"rows", check.rows},
      {"endpoint", check.endpoint},
      {"models", boost::json::array(check.models.begin(), check.models.end())},
      {"errors_total", check.errors_total},
      {"errors", {{"object", "list"}, {"data", std::move(errors)}}}};
  return boost::json::serialize(object);
}

}  // namespace offpeak::cli
