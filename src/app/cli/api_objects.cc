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

std::vector<std::string> texts_at(const json::object& object, std::string_view key) {
  std::vector<std::string> texts;
  const auto* value = object.if_contains(key);
  if (value == nullptr || !value->is_array()) return texts;
  for (const auto& item : value->as_array()) {
    if (item.is_string()) texts.emplace_back(item.as_string());
  }
  return texts;
}

WebhookView webhook_of(const json::object& object) {
  return {.id = text_at(object, "id"),
          .name = text_at(object, "name"),
          .url = text_at(object, "url"),
          .event_types = texts_at(object, "event_types"),
          .secret = text_at(object, "signing_secret"),
          .secret_hint = text_at(object, "signing_secret_hint"),
          .created_at = number_at(object, "created_at").value_or(0)};
}

DeliveryView delivery_of(const json::object& object) {
  DeliveryView delivery{.id = text_at(object, "id"),
                        .event_type = text_at(object, "event_type"),
                        .batch_id = text_at(object, "batch_id"),
                        .webhook_id = text_at(object, "webhook_id"),
                        .status = text_at(object, "status"),
                        .attempts = count_at(object, "attempts"),
                        .created_at = number_at(object, "created_at").value_or(0),
                        .next_attempt_at = number_at(object, "next_attempt_at"),
                        .log = {}};
  const auto* log = object.if_contains("log");
  if (log == nullptr || !log->is_array()) return delivery;
  for (const auto& item : log->as_array()) {
    if (!item.is_object()) continue;
    const auto& attempt = item.as_object();
    delivery.log.push_back({.at = number_at(attempt, "at").value_or(0),
                            .status = number_at(attempt, "status_code").value_or(0),
                            .duration_ms = number_at(attempt, "duration_ms").value_or(0),
                            .error = text_at(attempt, "error")});
  }
  return delivery;
}

template <class View>
CliResult<View> object_of(std::string_view text, std::string_view expected,
                          View (*read)(const json::object&)) {
  const auto object = parse_object(text, expected);
  if (!object) return std::unexpected(object.error());
  auto view = read(*object);
  if (view.id.empty()) return std::unexpected(strange_answer(expected));
  return view;
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
  return object_of(text, "file", file_of);
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

CliResult<WebhookView> parse_webhook(std::string_view text) {
  return object_of(text, "webhook endpoint", webhook_of);
}

CliResult<Page<WebhookView>> parse_webhook_page(std::string_view text) {
  return page_of(text, webhook_of);
}

CliResult<DeliveryView> parse_delivery(std::string_view text) {
  return object_of(text, "delivery", delivery_of);
}

CliResult<Page<DeliveryView>> parse_delivery_page(std::string_view text) {
  return page_of(text, delivery_of);
}

CliResult<std::int64_t> parse_webhook_test(std::string_view text) {
  const auto object = parse_object(text, "webhook test");
  if (!object) return std::unexpected(object.error());
  const auto status = number_at(*object, "status_code");
  if (!status) return std::unexpected(strange_answer("webhook test"));
  return *status;
}

CliResult<std::vector<std::string>> parse_event_types(std::string_view text) {
  const auto object = parse_object(text, "list");
  if (!object) return std::unexpected(object.error());
  return texts_at(*object, "data");
}

std::string webhook_json(const std::string& name, const std::string& url,
                         const std::vector<std::string>& event_types) {
  json::object body;
  if (!name.empty()) body["name"] = name;
  if (!url.empty()) body["url"] = url;
  if (!event_types.empty()) {
    body["event_types"] = json::array(event_types.begin(), event_types.end());
  }
  return json::serialize(body);
}

std::string test_json(const std::string& event_type) {
  return json::serialize(json::object{{"event_type", event_type}});
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
