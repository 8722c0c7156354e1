#include "api/upload_form.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <optional>
#include <utility>

#include "core/openai/create_batch.h"
#include "platform/http/multipart.h"

namespace offpeak {
namespace {

constexpr std::array<std::string_view, 6> kPurposes = {"fine-tune", "assistants", "batch",
                                                       "user_data", "vision",     "evals"};
constexpr std::size_t kFieldBytesMax = 64 * 1024;
/// What a form may hold beside the file.
constexpr std::uint64_t kFormOverheadMax = 1024 * 1024;

std::unexpected<Error> invalid(std::string message, std::string code, std::string param) {
  return fail(ErrorKind::invalid_request, std::move(message), std::move(code), std::move(param));
}

std::string base_name(std::string_view filename) {
  const auto slash = filename.find_last_of("/\\");
  return std::string(slash == std::string_view::npos ? filename : filename.substr(slash + 1));
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

  Task<Result<FileRecord>> finish(const ProjectId& project) {
    auto attributes = read_attributes(project);
    if (!attributes) co_return std::unexpected(attributes.error());
    auto commit = [this, &attributes] { return upload_->finish(*attributes); };
    co_return co_await offload(workers_, std::move(commit));
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
    filename_ = base_name(*part.filename);
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
      const std::string param = fmt::format("expires_after.{}", name);
      return invalid(fmt::format("Missing required parameter: '{}'.", param),
                     "missing_required_parameter", param);
    }
    if (*anchor != "created_at") {
      return invalid(
          fmt::format("Invalid value: '{}'. Supported values are: 'created_at'.", *anchor),
          "invalid_value", "expires_after.anchor");
    }
    std::int64_t count = 0;
    const char* const end = seconds->data() + seconds->size();
    const auto parsed = std::from_chars(seconds->data(), end, count);
    if (parsed.ec != std::errc() || parsed.ptr != end) {
      return invalid(
          fmt::format("Invalid type for 'expires_after.seconds': expected an integer, but "
                      "got '{}' instead.",
                      *seconds),
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
      return invalid("Missing required parameter: 'file'.", "missing_required_parameter", "file");
    }
    const auto purpose = fields_.find("purpose");
    if (purpose == fields_.end() || purpose->second.empty()) {
      return invalid("Missing required parameter: 'purpose'.", "missing_required_parameter",
                     "purpose");
    }
    if (std::ranges::find(kPurposes, purpose->second) == kPurposes.end()) {
      return invalid(fmt::format("'{}' is not one of ['fine-tune', 'assistants', 'batch', "
                                 "'user_data', 'vision', 'evals'] - 'purpose'",
                                 purpose->second),
                     "", "purpose");
    }
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

Task<Result<FileRecord>> receive_upload(const FileStores& stores, Workers& workers,
                                        const ProjectId& project, const http::Request& request,
                                        http::RequestBody& body, std::uint64_t file_bytes_max) {
  const auto boundary = http::parse_boundary(request.header("content-type"));
  if (!boundary) {
    co_return invalid(
        "The request must be a multipart/form-data form with the parts 'file' and "
        "'purpose'.",
        "invalid_content_type", "");
  }
  if (request.content_length && *request.content_length > kFormOverheadMax &&
      *request.content_length - kFormOverheadMax > file_bytes_max) {
    co_return fail(ErrorKind::too_large,
                   fmt::format("File is too large. At most {} bytes are accepted here "
                               "(limits.file_bytes).",
                               file_bytes_max));
  }
  http::MultipartParser parser(*boundary);
  UploadForm form(stores, workers, file_bytes_max);
  while (true) {
    const auto piece = co_await body.read();
    if (!piece) co_return std::unexpected(piece.error());
    if (piece->empty()) break;
    parser.feed(*piece);
    while (true) {
      auto event = parser.next();
      if (!event) co_return std::unexpected(event.error());
      if (!*event) break;
      auto taken = co_await form.take(std::move(**event));
      if (!taken) co_return std::unexpected(taken.error());
    }
  }
  if (auto whole = parser.finish(); !whole) co_return std::unexpected(whole.error());
  co_return co_await form.finish(project);
}

}  // namespace offpeak
