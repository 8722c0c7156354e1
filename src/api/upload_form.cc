#include "api/upload_form.h"

#include <fmt/format.h>

#include <charconv>
#include <limits>
#include <map>
#include <optional>
#include <utility>

#include "api/form_reader.h"
#include "core/openai/body_fields.h"
#include "core/openai/create_batch.h"
#include "core/openai/uploads.h"
#include "pipeline/files/filename.h"

namespace offpeak {
namespace {

constexpr std::size_t kFieldBytesMax = 64 * 1024;

std::unexpected<Error> invalid(std::string message, std::string code, std::string param) {
  return fail(ErrorKind::invalid_request, std::move(message), std::move(code), std::move(param));
}

/// Collects the form's fields and streams its file.
class UploadForm {
 public:
  UploadForm(const FileStores& stores, Workers& workers, std::uint64_t file_bytes_max)
      : stores_(stores), workers_(workers), file_bytes_max_(file_bytes_max) {}

  Task<Status> take(http::MultipartEvent event) {
    if (auto* const part = std::get_if<http::PartBegin>(&event)) co_return begin(std::move(*part));
    if (auto* const data = std::get_if<http::PartData>(&event)) {
      if (!in_file_) co_return add_to_field(data->bytes);
      auto append = [this, bytes = data->bytes] { return upload_->append(bytes); };
      co_return co_await offload(workers_, std::move(append));
    }
    in_file_ = in_file_ && !std::holds_alternative<http::PartEnd>(event);
    co_return Status();
  }

  Result<ReceivedFile> finish(const ProjectId& project) {
    auto attributes = read_attributes(project);
    if (!attributes) return std::unexpected(attributes.error());
    return ReceivedFile{std::move(*upload_), std::move(*attributes)};
  }

 private:
  Status begin(http::PartBegin part) {
    in_file_ = part.name == "file" && part.filename.has_value();
    field_ = part.name;
    if (!in_file_) {
      fields_[field_].clear();
      return {};
    }
    if (upload_) return invalid("The form has more than one part named 'file'.", "", "file");
    auto filename = stored_filename(*part.filename);
    if (!filename) return std::unexpected(filename.error());
    filename_ = std::move(*filename);
    auto started = Upload::start(stores_, file_bytes_max_);
    if (!started) return std::unexpected(started.error());
    upload_.emplace(std::move(*started));
    return {};
  }

  Status add_to_field(std::string_view bytes) {
    std::string& value = fields_[field_];
    if (value.size() + bytes.size() > kFieldBytesMax) {
      return fail(ErrorKind::too_large, fmt::format("The form field '{}' is too large.", field_),
                  "", field_);
    }
    value += bytes;
    return {};
  }

  Result<std::optional<std::chrono::seconds>> read_expiry() const {
    const std::string* anchor = nullptr;
    const std::string* seconds = nullptr;
    for (const auto& [name, value] : fields_) {
      if (name == "expires_after[anchor]" || name == "expires_after.anchor") anchor = &value;
      if (name == "expires_after[seconds]" || name == "expires_after.seconds") seconds = &value;
    }
    if (anchor == nullptr && seconds == nullptr) return std::nullopt;
    for (auto [value, name] : {std::pair(anchor, "anchor"), std::pair(seconds, "seconds")}) {
      if (value != nullptr) continue;
      return missing_param(fmt::format("expires_after.{}", name));
    }
    if (*anchor != "created_at") {
      return invalid(
          fmt::format("Invalid value: '{}'. Supported values are: 'created_at'.", *anchor),
          "invalid_value", "expires_after.anchor");
    }
    std::int64_t count = 0;
    const char* const end = seconds->data() + seconds->size();
    const auto parsed = std::from_chars(seconds->data(), end, count);
    if (parsed.ec == std::errc::result_out_of_range) {
      count = seconds->starts_with('-') ? std::numeric_limits<std::int64_t>::min()
                                        : std::numeric_limits<std::int64_t>::max();
    } else if (parsed.ec != std::errc() || parsed.ptr != end) {
      return invalid(
          "Invalid type for 'expires_after.seconds': expected an integer, but got a string "
          "instead.",
          "invalid_type", "expires_after.seconds");
    }
    if (auto ok = check_expires_after(count, "expires_after.seconds"); !ok) {
      return std::unexpected(ok.error());
    }
    return std::chrono::seconds(count);
  }

  Result<FileAttributes> read_attributes(const ProjectId& project) const {
    if (!upload_) {
      if (fields_.contains("file")) {
        return invalid(
            "Invalid 'file': expected a file with a filename, but got a text field. Open "
            "the file, or give its bytes a name.",
            "invalid_type", "file");
      }
      return missing_param("file");
    }
    const auto purpose = fields_.find("purpose");
    if (purpose == fields_.end() || purpose->second.empty()) {
      return missing_param("purpose");
    }
    if (auto ok = check_purpose(purpose->second); !ok) return std::unexpected(ok.error());
    const auto expiry = read_expiry();
    if (!expiry) return std::unexpected(expiry.error());
    return FileAttributes{project, filename_, purpose->second, *expiry};
  }

  const FileStores& stores_;
  Workers& workers_;
  std::uint64_t file_bytes_max_;
  std::optional<Upload> upload_;
  std::string filename_;
  std::map<std::string, std::string> fields_;
  std::string field_;
  bool in_file_ = false;
};

}  // namespace

std::string ReceivedFile::fingerprint() const {
  const auto expiry = attributes.expires_after ? attributes.expires_after->count() : 0;
  return fmt::format("{}\n{}\n{}\n{}", attributes.purpose, expiry, upload.content_hash(),
                     attributes.filename);
}

Task<Result<ReceivedFile>> receive_upload(const FileStores& stores, Workers& workers,
                                          const ProjectId& project, const http::Request& request,
                                          http::RequestBody& body, std::uint64_t file_bytes_max) {
  if (announces_more_than(request, file_bytes_max)) {
    co_return fail(ErrorKind::too_large,
                   fmt::format("File is too large. At most {} bytes are accepted here "
                               "(limits.file_bytes).",
                               file_bytes_max));
  }
  UploadForm form(stores, workers, file_bytes_max);
  const auto take = [&form](http::MultipartEvent event) { return form.take(std::move(event)); };
  auto read = co_await read_form(request, body, "the parts 'file' and 'purpose'", take);
  if (!read) co_return std::unexpected(read.error());
  co_return form.finish(project);
}

}  // namespace offpeak
