// The columns of the metadata database that hold JSON: pairs keep their order and may repeat a key,
// text need not be valid UTF-8 (a line error may quote the user's bytes). docs/formats.md.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "core/records/batch.h"
#include "core/records/file.h"

namespace offpeak {

std::string metadata_to_json(const Metadata& metadata);
Result<Metadata> metadata_from_json(std::string_view json);

std::string errors_to_json(const std::vector<LineError>& errors);
Result<std::vector<LineError>> errors_from_json(std::string_view json);

std::string extents_to_json(const std::vector<Extent>& extents);
Result<std::vector<Extent>> extents_from_json(std::string_view json);

std::string texts_to_json(const std::vector<std::string>& texts);
Result<std::vector<std::string>> texts_from_json(std::string_view json);

}  // namespace offpeak
