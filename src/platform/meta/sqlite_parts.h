// What the sources of SqliteMetaStore do for each other inside a write transaction.
#pragma once

#include <string_view>

#include "base/error.h"
#include "core/records/batch.h"
#include "core/records/file.h"
#include "core/records/request_mark.h"
#include "platform/meta/sqlite.h"

namespace offpeak {

/// The object a request has made.
struct Made {
  const ProjectId& project;
  std::string_view object;
  UnixSeconds at;
};

/// sqlite_requests.cc. An empty mark is none.
Status insert_mark(sqlite::Connection& writer, const Made& made, const RequestMark& mark);

/// sqlite_files.cc
Status insert_file_row(sqlite::Connection& writer, const FileRecord& file);

/// sqlite_uploads.cc. A purged file leaves no trace of its name there either.
Status forget_upload_of(sqlite::Connection& writer, const FileId& file);

/// sqlite_webhooks.cc. Queues the event of a batch that has just been stored in a terminal status.
Status queue_deliveries(sqlite::Connection& writer, const BatchRecord& batch);

}  // namespace offpeak
