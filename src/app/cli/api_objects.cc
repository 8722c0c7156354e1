#include "app/cli/api_objects.h"

#include <fmt/format.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

namespace offpeak::cli {
namespace {

namespace json = boost::json;

std::string text_at(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string{};
}

std::optional<std::int64_t> number_at(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  if (value == nullptr) return std::nullopt;
  json::error_code error;
  const auto number = value->to_number<std::int64_t>(error);
  if (error) return std::nullopt;
  return number;
}

std::uint64_t count_at(const json::object& object, std::string_view key) {
  const auto number = number_at(object, key).value_or(0);
  return number < 0 ? 0 : static_cast<std::uint64_t>(number);
}

const json::object& object_at(const json::object& object, std::string_view key) {
  static const json::object kEmpty;
  const auto* value = object.if_contains(key);
  return value != nullptr && value->is_object() ? value->as_object() : kEmpty;
}

CliError strange_answer(std::string_view expected) {
  return {.what = fmt::format("the server's answer is not a {}", expected),
          .todo = "is the base URL that of an OpenAI-compatible API?"};
}

CliResult<json::object> parse_object(std::string_view text, std::string_view expected) {
  json::error_code error;
  auto value = json::parse(json::string_view(text.data(), text.size()), error);
  if (error || !value.is_object()) return std::unexpected(strange_answer(expected));
  return std::move(value.as_object());
}

FileView file_of(const json::object& object) {
  return {.id = text_at(object, "id"),
          .filename = text_at(object, "filename"),
          .purpose = text_at(object, "purpose"),
          .bytes = count_at(object, "bytes"),
          .created_at = number_at(object, "created_at").value_or(0)};
}

std::vector<BatchErrorView> errors_of(const json::object& object) {
  std::vector<BatchErrorView> errors;
  const auto* data = object_at(object, "errors").if_contains("data");
  if (data == nullptr || !data->is_array()) return errors;
  for (const auto& item : data->as_array()) {
    if (!item.is_object()) continue;
    BatchErrorView error{.line = std::nullopt,
                         .code = text_at(item.as_object(), "code"),
                         .message = text_at(item.as_object(), "message")};
    if (const auto line = number_at(item.as_object(), "line")) {
      error.line = static_cast<std::uint64_t>(*line);
    }
    errors.push_back(std::move(error));
  }
  return errors;
}

BatchView batch_of(const json::object& object) {
  BatchView batch{.id = text_at(object, "id"),
                  .status = text_at(object, "status"),
                  .endpoint = text_at(object, "endpoint"),
                  .model = text_at(object, "model"),
                  .input_file_id = text_at(object, "input_file_id"),
                  .output_file_id = text_at(object, "output_file_id"),
                  .error_file_id = text_at(object, "error_file_id"),
                  .created_at = number_at(object, "created_at").value_or(0),
                  .expires_at = number_at(object, "expires_at").value_or(0),
                  .errors = errors_of(object)};
  const auto& counts = object_at(object, "request_counts");
  batch.total = count_at(counts, "total");
  batch.completed = count_at(counts, "completed");
  batch.failed = count_at(counts, "failed");
  const auto& usage = object_at(object, "usage");
  batch.input_tokens = count_at(usage, "input_tokens");
  batch.output_tokens = count_at(usage, "output_tokens");
  batch.cached_tokens = count_at(object_at(usage, "input_tokens_details"), "cached_tokens");
  for (const char* key : {"completed_at", "failed_at", "expired_at", "cancelled_at"}) {
    if (const auto at = number_at(object, key)) batch.ended_at = at;
  }
  for (const auto& [key, value] : object_at(object, "metadata")) {
    if (value.is_string()) batch.metadata.emplace_back(key, std::string(value.as_string()));
  }
  return batch;
}

template <class View>
CliResult<Page<View>> page_of(std::string_view text, View (*read)(const json::object&)) {
  const auto object = parse_object(text, "list");
  if (!object) return std::unexpected(object.error());
  const auto* data = object->if_contains("data");
  if (data == nullptr || !data->is_array()) return std::unexpected(strange_answer("list"));
  Page<View> page;
  for (const auto& item : data->as_array()) {
    if (item.is_object()) page.data.push_back(read(item.as_object()));
  }
  const auto* more = object->if_contains("has_more");
  page.has_more = more != nullptr && more->is_bool() && more->as_bool();
  return page;
}

}  // namespace

bool BatchView::ended() const {
  return status == "completed" || status == "failed" || status == "expired" ||
         status == "cancelled";
}

CliResult<FileView> parse_file(std::string_view text) {
  const auto object = parse_object(text, "file");
  if (!object) return std::unexpected(object.error());
  auto file = file_of(*object);
  if (file.id.empty()) return std::unexpected(strange_answer("file"));
  return file;
}

CliResult<BatchView> parse_batch(std::string_view text) {
  const auto object = parse_object(text, "batch");
  if (!object) return std::unexpected(object.error());
  auto batch = batch_of(*object);
  if (batch.id.empty() || batch.status.empty()) return std::unexpected(strange_answer("batch"));
  return batch;
}

CliResult<Page<FileView>> parse_file_page(std::string_view text) {
  return page_of(text, file_of);
}

CliResult<Page<BatchView>> parse_batch_page(std::string_view text) {
  return page_of(text, batch_of);
}

std::string to_json(const NewBatch& batch) {
  json::object body{{"input_file_id", batch.input_file_id},
                    {"endpoint", batch.endpoint},
                    {"completion_window", batch.completion_window}};
  if (!batch.metadata.empty()) {
    json::object metadata;
    for (const auto& [key, value] : batch.metadata) metadata[key] = value;
    body["metadata"] = std::move(metadata);
  }
  return json::serialize(body);
}

}  // namespace offpeak::cli
