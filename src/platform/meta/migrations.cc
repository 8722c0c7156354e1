#include "platform/meta/migrations.h"

#include <fmt/format.h>

#include <array>

namespace offpeak {
namespace {

constexpr int kApplicationId = 0x6f66706b;  // "ofpk", kept in the file's header

// `seq` is the order of insertion. Rows of files and batches are never deleted, so that a deleted
// one keeps its place in listings: files.state is 0 live, 1 deleted, 2 purged.
constexpr const char* kVersion1 = R"sql(
CREATE TABLE projects (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL UNIQUE,
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE api_keys (
  id TEXT PRIMARY KEY,
  project_id TEXT NOT NULL REFERENCES projects (id),
  sha256 TEXT NOT NULL UNIQUE,
  redacted TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  revoked_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX api_keys_by_project ON api_keys (project_id);

CREATE TABLE files (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  project_id TEXT NOT NULL REFERENCES projects (id),
  bytes INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  filename TEXT NOT NULL,
  purpose TEXT NOT NULL,
  content TEXT NOT NULL,
  state INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX files_live ON files (project_id, seq) WHERE state = 0;
CREATE INDEX files_live_by_purpose ON files (project_id, purpose, seq) WHERE state = 0;
CREATE INDEX files_expiring ON files (expires_at) WHERE state = 0 AND expires_at IS NOT NULL;
CREATE INDEX files_deleted ON files (seq) WHERE state = 1;

CREATE TABLE batches (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  project_id TEXT NOT NULL REFERENCES projects (id),
  input_file_id TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  completion_window TEXT NOT NULL,
  model TEXT NOT NULL,
  status TEXT NOT NULL,
  errors TEXT NOT NULL,
  output_file_id TEXT REFERENCES files (id),
  error_file_id TEXT REFERENCES files (id),
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  in_progress_at INTEGER,
  finalizing_at INTEGER,
  completed_at INTEGER,
  failed_at INTEGER,
  expired_at INTEGER,
  cancelling_at INTEGER,
  cancelled_at INTEGER,
  rows_total INTEGER NOT NULL,
  rows_completed INTEGER NOT NULL,
  rows_failed INTEGER NOT NULL,
  input_tokens INTEGER NOT NULL,
  cached_input_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  reasoning_tokens INTEGER NOT NULL,
  metadata TEXT,
  output_expires_after_s INTEGER,
  version INTEGER NOT NULL,
  finished INTEGER NOT NULL,
  lease_epoch INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX batches_by_project ON batches (project_id, seq);
CREATE INDEX batches_unfinished ON batches (seq) WHERE finished = 0;
CREATE INDEX batches_unfinished_by_input ON batches (input_file_id) WHERE finished = 0;

CREATE TABLE leases (
  batch_id TEXT PRIMARY KEY REFERENCES batches (id),
  worker TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  first INTEGER NOT NULL,
  last INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
)sql";

// upload_parts.state is 0 live, 1 dead; webhook_endpoints.deleted keeps a deleted endpoint's place.
constexpr const char* kVersion2 = R"sql(
CREATE TABLE uploads (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  project_id TEXT NOT NULL REFERENCES projects (id),
  bytes INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  filename TEXT NOT NULL,
  purpose TEXT NOT NULL,
  mime_type TEXT NOT NULL,
  file_expires_after_s INTEGER,
  status TEXT NOT NULL,
  file_id TEXT REFERENCES files (id)
) STRICT;
CREATE INDEX uploads_pending ON uploads (expires_at) WHERE status = 'pending';
CREATE INDEX uploads_by_file ON uploads (file_id) WHERE file_id IS NOT NULL;

CREATE TABLE upload_parts (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  upload_id TEXT NOT NULL REFERENCES uploads (id),
  created_at INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  blob TEXT NOT NULL,
  state INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX upload_parts_by_upload ON upload_parts (upload_id, seq);
CREATE INDEX upload_parts_dead ON upload_parts (seq) WHERE state = 1;

CREATE TABLE requests (
  seq INTEGER PRIMARY KEY,
  project_id TEXT NOT NULL REFERENCES projects (id),
  fingerprint TEXT NOT NULL,
  idempotency_key TEXT,
  object TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  reply_status INTEGER,
  reply_type TEXT,
  reply_body TEXT
) STRICT;
CREATE INDEX requests_by_fingerprint ON requests (project_id, fingerprint, seq);
CREATE UNIQUE INDEX requests_by_key ON requests (project_id, idempotency_key)
  WHERE idempotency_key IS NOT NULL;
CREATE INDEX requests_keyed ON requests (created_at) WHERE idempotency_key IS NOT NULL;
CREATE INDEX requests_unkeyed ON requests (created_at) WHERE idempotency_key IS NULL;

CREATE TABLE webhook_endpoints (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  project_id TEXT NOT NULL REFERENCES projects (id),
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  name TEXT NOT NULL,
  url TEXT NOT NULL,
  event_types TEXT NOT NULL,
  sealed_secret TEXT NOT NULL,
  secret_hint TEXT NOT NULL,
  sealed_old_secret TEXT NOT NULL,
  old_secret_until INTEGER,
  deleted INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX webhook_endpoints_live ON webhook_endpoints (project_id, seq) WHERE deleted = 0;

CREATE TABLE webhook_deliveries (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  project_id TEXT NOT NULL REFERENCES projects (id),
  endpoint_id TEXT NOT NULL REFERENCES webhook_endpoints (id),
  event_id TEXT NOT NULL,
  webhook_id TEXT NOT NULL,
  event_type TEXT NOT NULL,
  batch_id TEXT NOT NULL,
  event_at INTEGER NOT NULL,
  state TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  next_attempt_at INTEGER NOT NULL
) STRICT;
CREATE INDEX webhook_deliveries_by_project ON webhook_deliveries (project_id, seq);
CREATE INDEX webhook_deliveries_by_endpoint ON webhook_deliveries (endpoint_id, seq);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (next_attempt_at, seq)
  WHERE state = 'pending';
CREATE INDEX webhook_deliveries_due_by_endpoint
  ON webhook_deliveries (endpoint_id, next_attempt_at, seq) WHERE state = 'pending';
CREATE INDEX webhook_deliveries_over ON webhook_deliveries (event_at) WHERE state <> 'pending';

CREATE TABLE delivery_attempts (
  seq INTEGER PRIMARY KEY,
  delivery_id TEXT NOT NULL REFERENCES webhook_deliveries (id),
  at INTEGER NOT NULL,
  status INTEGER NOT NULL,
  duration_ms INTEGER NOT NULL,
  error TEXT NOT NULL
) STRICT;
CREATE INDEX delivery_attempts_by_delivery ON delivery_attempts (delivery_id, seq);
)sql";

constexpr std::array kSteps = {kVersion1, kVersion2};

Result<int> pragma(sqlite::Connection& connection, const char* sql) {
  auto query = connection.query(sql);
  const auto row = query.row();
  if (!row) return std::unexpected(row.error());
  int value = 0;
  if (*row) query.read(value);
  return value;
}

Status run_step(sqlite::Connection& writer, int version) {
  const std::string sql = fmt::format(
      "BEGIN IMMEDIATE; {} PRAGMA application_id = {}; PRAGMA user_version = {}; COMMIT;",
      kSteps[static_cast<std::size_t>(version) - 1], kApplicationId, version);
  auto done = writer.exec(sql.c_str());
  if (!done && writer.in_transaction()) static_cast<void>(writer.exec("ROLLBACK"));
  return done;
}

}  // namespace

int schema_version() {
  return static_cast<int>(kSteps.size());
}

Status migrate(sqlite::Connection& writer, int up_to) {
  const auto version = pragma(writer, "PRAGMA user_version");
  if (!version) return std::unexpected(version.error());
  const auto application = pragma(writer, "PRAGMA application_id");
  if (!application) return std::unexpected(application.error());
  const auto tables = pragma(writer, "SELECT count(*) FROM sqlite_schema");
  if (!tables) return std::unexpected(tables.error());
  if (*application != kApplicationId && *tables > 0) {
    return fail(ErrorKind::conflict,
                "this SQLite database is not offpeak's; choose another data directory");
  }
  if (*version > schema_version()) {
    return fail(ErrorKind::conflict,
                fmt::format("the metadata was written by a newer offpeak (schema {}, this program "
                            "knows {}); start that version, or restore a backup made before it",
                            *version, schema_version()));
  }
  for (int next = *version + 1; next <= up_to; ++next) {
    if (auto done = run_step(writer, next); !done) return done;
  }
  return {};
}

}  // namespace offpeak
