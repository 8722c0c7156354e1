// POST /v1/files: the multipart form, in any order of parts, streamed to the store.
#pragma once

#include "base/error.h"
#include "base/id.h"
#include "pipeline/files/upload.h"
#include "platform/async/event_loop.h"
#include "platform/http/message.h"

namespace offpeak {

/// A form that has come whole. Destroyed without make(), it leaves nothing.
struct ReceivedFile {
  Upload upload;
  FileAttributes attributes;

  /// What tells two uploads apart: all fields that count, and the bytes.
  std::string fingerprint() const;
  /// Blocks.
  Result<FileRecord> make(const RequestMark& mark) { return upload.finish(attributes, mark); }
};

/// Reads and checks the form. On an error the rest of the body is left unread.
Task<Result<ReceivedFile>> receive_upload(const FileStores& stores, Workers& workers,
                                          const ProjectId& project, const http::Request& request,
                                          http::RequestBody& body, std::uint64_t file_bytes_max);

}  // namespace offpeak
