#include "core/openai/wire.h"

#include <boost/json/array.hpp>
#include <optional>
#include <utility>

namespace offpeak {
namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;

value seconds(UnixSeconds time) {
  return time.time_since_epoch().count();
}

value nullable(const std::optional<UnixSeconds>& time) {
  return time ? seconds(*time) : value(nullptr);
}

value nullable(const std::optional<FileId>& id) {
  return id ? value(id->text()) : value(nullptr);
}

value nullable(std::string_view text) {
  return text.empty() ? value(nullptr) : value(text);
}

value line_errors(const std::vector<LineError>& errors) {
  if (errors.empty()) return nullptr;
  array data;
  for (const LineError& error : errors) {
    data.push_back(object{{"code", error.code},
                          {"line", error.line == 0 ? value(nullptr) : value(error.line)},
                          {"message", error.message},
                          {"param", nullable(error.param)}});
  }
  return object{{"object", "list"}, {"data", std::move(data)}};
}

value usage_object(const TokenUsage& usage) {
  return object{{"input_tokens", usage.input},
                {"input_tokens_details", object{{"cached_tokens", usage.cached_input}}},
                {"output_tokens", usage.output},
                {"output_tokens_details", object{{"reasoning_tokens", usage.reasoning}}},
                {"total_tokens", usage.total()}};
}

value metadata_object(const std::optional<Metadata>& metadata) {
  if (!metadata) return nullptr;
  object pairs;
  for (const auto& [key, text] : *metadata) pairs[key] = text;
  return pairs;
}

}  // namespace

object file_object(const FileRecord& file) {
  return object{{"id", file.id.text()},
                {"bytes", file.bytes},
                {"created_at", seconds(file.created_at)},
                {"filename", file.filename},
                {"object", "file"},
                {"purpose", file.purpose},
                {"status", "processed"},
                {"expires_at", nullable(file.expires_at)},
                {"status_details", nullptr}};
}

object upload_object(const UploadRecord& upload, const std::optional<FileRecord>& file) {
  return object{{"id", upload.id.text()},
                {"object", "upload"},
                {"bytes", upload.bytes},
                {"created_at", seconds(upload.created_at)},
                {"filename", upload.filename},
                {"purpose", upload.purpose},
                {"status", to_string(upload.status)},
                {"expires_at", seconds(upload.expires_at)},
                {"file", file ? value(file_object(*file)) : value(nullptr)}};
}

object part_object(const UploadPart& part) {
  return object{{"id", part.id.text()},
                {"object", "upload.part"},
                {"created_at", seconds(part.created_at)},
                {"upload_id", part.upload.text()}};
}

object batch_object(const BatchRecord& batch) {
  return object{{"id", batch.id.text()},
                {"object", "batch"},
                {"endpoint", batch.endpoint},
                {"model", nullable(batch.model)},
                {"errors", line_errors(batch.errors)},
                {"input_file_id", batch.input_file.text()},
                {"completion_window", batch.completion_window},
                {"status", to_string(batch.status)},
                {"output_file_id", nullable(batch.output_file)},
                {"error_file_id", nullable(batch.error_file)},
                {"created_at", seconds(batch.created_at)},
                {"in_progress_at", nullable(batch.in_progress_at)},
                {"expires_at", seconds(batch.expires_at)},
                {"finalizing_at", nullable(batch.finalizing_at)},
                {"completed_at", nullable(batch.completed_at)},
                {"failed_at", nullable(batch.failed_at)},
                {"expired_at", nullable(batch.expired_at)},
                {"cancelling_at", nullable(batch.cancelling_at)},
                {"cancelled_at", nullable(batch.cancelled_at)},
                {"request_counts", object{{"total", batch.counts.total},
                                          {"completed", batch.counts.completed},
                                          {"failed", batch.counts.failed}}},
                {"usage", usage_object(batch.usage)},
                {"metadata", metadata_object(batch.metadata)}};
}

object model_object(std::string_view id, UnixSeconds created, std::string_view owned_by) {
  return object{
      {"id", id}, {"object", "model"}, {"created", seconds(created)}, {"owned_by", owned_by}};
}

object deleted_object(std::string_view id, std::string_view kind) {
  return object{{"id", id}, {"object", kind}, {"deleted", true}};
}

object list_object(std::vector<object> data, bool has_more) {
  const value first = data.empty() ? value(nullptr) : data.front()["id"];
  const value last = data.empty() ? value(nullptr) : data.back()["id"];
  array items;
  items.reserve(data.size());
  for (object& item : data) items.push_back(std::move(item));
  return object{{"object", "list"},
                {"data", std::move(items)},
                {"first_id", first},
                {"last_id", last},
                {"has_more", has_more}};
}

object error_object(const ApiError& error) {
  return object{{"error", object{{"message", error.message},
                                 {"type", error.type},
                                 {"param", nullable(error.param)},
                                 {"code", nullable(error.code)}}}};
}

}  // namespace offpeak
