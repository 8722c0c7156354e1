// The bodies of POST /v1/uploads and …/complete: parsed and checked, or the error OpenAI's service
// gives (contract sections 2, 3.8). Unknown members are ignored.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/id.h"

namespace offpeak {

struct CreateUpload {
  std::string filename;  // as sent
  std::string purpose;
  std::uint64_t bytes = 0;
  std::string mime_type;
  std::optional<std::int64_t> expires_after_s;
};

Result<CreateUpload> parse_create_upload(std::string_view body, std::uint64_t bytes_max);

struct CompleteUpload {
  std::vector<PartId> parts;
  std::optional<std::string> md5;  // as sent
};

Result<CompleteUpload> parse_complete_upload(std::string_view body);

/// invalid_request unless it is a purpose that files are uploaded for (contract section 1.2).
Status check_purpose(std::string_view purpose);

}  // namespace offpeak
