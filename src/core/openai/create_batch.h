// The body of POST /v1/batches: parsed and checked, or the error OpenAI's service gives
// (contract sections 3.2, 3.3, 3.8).
#pragma once

#include <boost/json/object.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "core/records/batch.h"

namespace offpeak {

struct CreateBatch {
  FileId input_file;
  std::string endpoint;
  std::string completion_window;
  std::chrono::seconds window{};
  std::optional<Metadata> metadata;
  std::optional<std::int64_t> output_expires_after_s;
};

/// Unknown members are ignored.
Result<CreateBatch> parse_create_batch(std::string_view body);

/// "24h", or 1 h to 7 d in hours ("36h") or days ("7d").
std::optional<std::chrono::seconds> parse_completion_window(std::string_view text);

/// Expiry of files: 1 h to 30 d.
inline constexpr std::int64_t kExpiresAfterMin = 3600;
inline constexpr std::int64_t kExpiresAfterMax = 2'592'000;
/// invalid_request naming `param` if `seconds` is out of these bounds.
Status check_expires_after(std::int64_t seconds, std::string_view param);
/// The member `name` of `body`: {"anchor": "created_at", "seconds": …}; nullopt if absent or null.
Result<std::optional<std::int64_t>> parse_expires_after(const boost::json::object& body,
                                                        std::string_view name);

}  // namespace offpeak
