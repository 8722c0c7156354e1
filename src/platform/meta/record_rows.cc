#include "platform/meta/record_rows.h"

#include <fmt/format.h>

#include "core/records/batch_status.h"
#include "platform/meta/record_json.h"

namespace offpeak {

void bind_file(sqlite::Query& query, const FileRecord& file) {
  query.bind(file.id, file.project, file.bytes, file.created_at, file.expires_at, file.filename,
             file.purpose, extents_to_json(file.content));
}

Result<FileRecord> read_file(sqlite::Query& query) {
  FileRecord file;
  std::string content;
  query.read(file.id, file.project, file.bytes, file.created_at, file.expires_at, file.filename,
             file.purpose, content);
  auto extents = extents_from_json(content);
  if (!extents) return std::unexpected(extents.error());
  file.content = std::move(*extents);
  return file;
}

void bind_batch(sqlite::Query& query, const BatchRecord& batch) {
  query
      .bind(batch.id, batch.project, batch.input_file, batch.endpoint, batch.completion_window,
            batch.model, to_string(batch.status))
      .bind(batch.errors.empty() ? std::string() : errors_to_json(batch.errors))
      .bind(batch.output_file, batch.error_file, batch.created_at, batch.expires_at,
            batch.in_progress_at, batch.finalizing_at, batch.completed_at, batch.failed_at,
            batch.expired_at, batch.cancelling_at, batch.cancelled_at)
      .bind(batch.counts.total, batch.counts.completed, batch.counts.failed)
      .bind(batch.usage.input, batch.usage.cached_input, batch.usage.output, batch.usage.reasoning)
      .bind(batch.metadata.transform(metadata_to_json), batch.output_expires_after_s, batch.version)
      .bind(is_terminal(batch.status));
}

Result<BatchRecord> read_batch(sqlite::Query& query) {
  BatchRecord batch;
  std::string status;
  std::string errors;
  std::optional<std::string> metadata;
  query.read(batch.id, batch.project, batch.input_file, batch.endpoint, batch.completion_window,
             batch.model, status, errors);
  query.read(batch.output_file, batch.error_file, batch.created_at, batch.expires_at,
             batch.in_progress_at, batch.finalizing_at, batch.completed_at, batch.failed_at,
             batch.expired_at, batch.cancelling_at, batch.cancelled_at);
  query.read(batch.counts.total, batch.counts.completed, batch.counts.failed);
  query.read(batch.usage.input, batch.usage.cached_input, batch.usage.output,
             batch.usage.reasoning);
  query.read(metadata, batch.output_expires_after_s, batch.version);

  const auto parsed = parse_batch_status(status);
  if (!parsed) {
    return fail(
        ErrorKind::internal,
        fmt::format("the metadata is damaged: batch '{}' has status '{}'", batch.id, status));
  }
  batch.status = *parsed;
  if (!errors.empty()) {
    auto lines = errors_from_json(errors);
    if (!lines) return std::unexpected(lines.error());
    batch.errors = std::move(*lines);
  }
  if (metadata) {
    auto pairs = metadata_from_json(*metadata);
    if (!pairs) return std::unexpected(pairs.error());
    batch.metadata = std::move(*pairs);
  }
  return batch;
}

}  // namespace offpeak
