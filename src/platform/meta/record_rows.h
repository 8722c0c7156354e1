// Files and batches as database rows: the column lists, and binding and reading them in that order.
#pragma once

#include "base/error.h"
#include "core/records/batch.h"
#include "core/records/file.h"
#include "platform/meta/sqlite.h"

// Macros because SQL statements are literals, put together by the compiler.
#define OFFPEAK_FILE_COLUMNS \
  "id, project_id, bytes, created_at, expires_at, filename, purpose, content"
#define OFFPEAK_BATCH_COLUMNS                                                           \
  "id, project_id, input_file_id, endpoint, completion_window, model, status, errors, " \
  "output_file_id, error_file_id, created_at, expires_at, in_progress_at, "             \
  "finalizing_at, completed_at, failed_at, expired_at, cancelling_at, cancelled_at, "   \
  "rows_total, rows_completed, rows_failed, input_tokens, cached_input_tokens, "        \
  "output_tokens, reasoning_tokens, metadata, output_expires_after_s, version"

namespace offpeak {

/// Binds ?1 to ?8.
void bind_file(sqlite::Query& query, const FileRecord& file);
Result<FileRecord> read_file(sqlite::Query& query);

/// Binds ?1 to ?29, and ?30: whether the status is terminal.
void bind_batch(sqlite::Query& query, const BatchRecord& batch);
Result<BatchRecord> read_batch(sqlite::Query& query);

}  // namespace offpeak
