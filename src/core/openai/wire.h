// The API's objects as JSON, keys in the live service's order (contract
// sections 1.6, 2, 3.4, 6.1, 9.1).
#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/records/batch.h"
#include "core/records/file.h"
#include "core/records/upload.h"

namespace offpeak {

boost::json::object file_object(const FileRecord& file);
/// `file`: what it has become; null until it is completed, and once the file is gone.
boost::json::object upload_object(const UploadRecord& upload,
                                  const std::optional<FileRecord>& file);
boost::json::object part_object(const UploadPart& part);
boost::json::object batch_object(const BatchRecord& batch);
boost::json::object model_object(std::string_view id, UnixSeconds created,
                                 std::string_view owned_by);
boost::json::object deleted_object(std::string_view id, std::string_view object);

/// `{"object":"list","data":[…],"first_id":…,"last_id":…,"has_more":…}`; null ids for an empty
/// page.
boost::json::object list_object(std::vector<boost::json::object> data, bool has_more);

/// `{"error":{"message":…,"type":…,"param":…,"code":…}}`; empty param and code become null.
struct ApiError {
  std::string_view message;
  std::string_view type;
  std::string_view param;
  std::string_view code;
};
boost::json::object error_object(const ApiError& error);

}  // namespace offpeak
