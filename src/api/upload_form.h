// POST /v1/files: the multipart form, in any order of parts, streamed to the store.
#pragma once

#include "base/error.h"
#include "base/id.h"
#include "pipeline/files/upload.h"
#include "platform/async/event_loop.h"
#include "platform/http/message.h"

namespace offpeak {

/// Reads the form and makes the file. On an error the rest of the body is left unread.
Task<Result<FileRecord>> receive_upload(const FileStores& stores, Workers& workers,
                                        const ProjectId& project, const http::Request& request,
                                        http::RequestBody& body, std::uint64_t file_bytes_max);

}  // namespace offpeak
