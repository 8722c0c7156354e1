// Downloads: a file's bytes as a response, whole or one range of them.
#pragma once

#include <memory>

#include "core/records/file.h"
#include "pipeline/files/file_reader.h"
#include "platform/async/event_loop.h"
#include "platform/http/message.h"

namespace offpeak {

/// 200, 206 or 416 as the request's Range and If-Range ask (RFC 9110 section 14; several ranges are
/// answered with the whole file). Reading happens on `workers`.
http::Response content_response(const FileRecord& file, FileReader reader,
                                const http::Request& request, Workers& workers);

}  // namespace offpeak
