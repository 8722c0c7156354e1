#include "pipeline/files/multipart_upload.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "core/openai/body_fields.h"
#include "core/openai/ids.h"
#include "pipeline/files/file_reader.h"
#include "pipeline/files/filename.h"
#include "platform/crypto/encoding.h"
#include "platform/crypto/md5.h"

namespace offpeak {
namespace {

constexpr std::string_view kPartsPrefix = "parts/";
constexpr std::size_t kReadBytes = 1u << 20;

BlobKey part_key(const ProjectId& project, const PartId& id) {
  return BlobKey(fmt::format("{}{}/{}", kPartsPrefix, project, id));
}

std::unexpected<Error> closed(const UploadId& id, std::string_view status) {
  return invalid_param(
      fmt::format("Upload '{}' is {}. Parts can be added to, and an upload be ended, only while it "
                  "is pending.",
                  id, status),
      "upload_not_pending", "upload_id");
}

/// What the store found out in a race is the caller's mistake, as if it had been seen at once.
Error as_callers_mistake(Error error) {
  if (error.kind == ErrorKind::conflict) error.kind = ErrorKind::invalid_request;
  return error;
}

std::optional<unsigned char> hex_digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned char>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned char>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<unsigned char>(c - 'A' + 10);
  return std::nullopt;
}

std::optional<std::string> decode_hex(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    const auto high = hex_digit(text[i]);
    const auto low = hex_digit(text[i + 1]);
    if (!high || !low) return std::nullopt;
    bytes += static_cast<char>(*high << 4 | *low);
  }
  return bytes;
}

/// The 16 bytes that `text` stands for, in hex or in base64.
Result<std::string> parse_md5(std::string_view text) {
  constexpr std::size_t kDigestBytes = 16;
  const auto digest = text.size() == 2 * kDigestBytes ? decode_hex(text) : decode_base64(text);
  if (digest && digest->size() == kDigestBytes) return *digest;
  return invalid_param("Invalid 'md5': expected 32 hex digits, or 16 bytes in base64.",
                       "invalid_value", "md5");
}

/// Hands the file to `take` piece by piece until that says false.
template <class Take>
Status read_through(const FileReader& reader, Take take) {
  std::string buffer(kReadBytes, '\0');
  std::uint64_t offset = 0;
  while (offset < reader.size()) {
    const auto count = reader.read_at(offset, buffer);
    if (!count) return std::unexpected(count.error());
    offset += *count;
    if (!take(std::string_view(buffer).substr(0, *count))) return {};
  }
  return {};
}

}  // namespace

std::unexpected<Error> part_too_large() {
  return fail(ErrorKind::too_large,
              fmt::format("The part is too large. A part holds at most {} bytes.", kPartBytesMax),
              {}, "data");
}

IncomingPart::IncomingPart(FileStores stores, ProjectId project, UploadPart part,
                           std::unique_ptr<BlobWriter> writer)
    : stores_(stores),
      project_(std::move(project)),
      part_(std::move(part)),
      writer_(std::move(writer)) {}

Status IncomingPart::append(std::string_view bytes) {
  if (writer_->bytes() + bytes.size() > kPartBytesMax) {
    return part_too_large();
  }
  hash_.update(bytes);
  return writer_->append(bytes);
}

Result<UploadPart> IncomingPart::finish(const RequestMark& mark) {
  if (auto committed = writer_->commit(); !committed) return std::unexpected(committed.error());
  part_.bytes = writer_->bytes();
  part_.created_at = stores_.clock.unix_now();
  if (auto inserted = stores_.meta.insert_part(project_, part_, mark); !inserted) {
    static_cast<void>(stores_.blobs.remove(part_.blob));
    return std::unexpected(as_callers_mistake(inserted.error()));
  }
  return part_;
}

Result<UploadRecord> MultipartUploads::create(const ProjectId& project, const CreateUpload& create,
                                              const RequestMark& mark) const {
  auto filename = stored_filename(create.filename);
  if (!filename) return std::unexpected(filename.error());
  if (create.purpose == "batch") {
    if (auto ok = check_batch_filename(*filename); !ok) return std::unexpected(ok.error());
  }
  const UnixSeconds now = stores_.clock.unix_now();
  UploadRecord upload{.id = make_upload_id(stores_.random),
                      .project = project,
                      .bytes = create.bytes,
                      .created_at = now,
                      .expires_at = now + kUploadLife,
                      .filename = std::move(*filename),
                      .purpose = create.purpose,
                      .mime_type = create.mime_type,
                      .file_expires_after_s = create.expires_after_s};
  if (auto inserted = stores_.meta.insert_upload(upload, mark); !inserted) {
    return std::unexpected(inserted.error());
  }
  return upload;
}

/// The upload if it is pending, and will not be made to expire as soon as somebody looks.
Result<UploadRecord> MultipartUploads::open_upload(const ProjectId& project,
                                                   const UploadId& id) const {
  auto upload = stores_.meta.upload(project, id);
  if (!upload) return upload;
  if (upload->status != UploadStatus::pending) return closed(id, to_string(upload->status));
  if (upload->expires_at <= stores_.clock.unix_now()) {
    return closed(id, to_string(UploadStatus::expired));
  }
  return upload;
}

/// Retries leave parts that nobody will name; this much of them is allowed.
Status MultipartUploads::check_room(const UploadRecord& upload) const {
  const auto stored = stores_.meta.parts(upload.project, upload.id);
  if (!stored) return std::unexpected(stored.error());
  std::uint64_t bytes = 0;
  for (const UploadPart& part : *stored) bytes += part.bytes;
  if (bytes <= 2 * upload.bytes + kPartBytesMax) return {};
  return invalid_param(
      fmt::format("The parts of upload '{}' already hold more than twice the {} bytes it was "
                  "created for.",
                  upload.id, upload.bytes),
      "upload_too_large", "data");
}

Result<IncomingPart> MultipartUploads::start_part(const ProjectId& project,
                                                  const UploadId& id) const {
  const auto upload = open_upload(project, id);
  if (!upload) return std::unexpected(upload.error());
  if (auto room = check_room(*upload); !room) return std::unexpected(room.error());
  UploadPart part{.id = make_part_id(stores_.random), .upload = id};
  part.blob = part_key(project, part.id);
  auto writer = stores_.blobs.create(part.blob);
  if (!writer) return std::unexpected(writer.error());
  return IncomingPart(stores_, project, std::move(part), std::move(*writer));
}

Result<std::vector<Extent>> MultipartUploads::assemble(const UploadRecord& upload,
                                                       const std::vector<PartId>& parts) const {
  const auto stored = stores_.meta.parts(upload.project, upload.id);
  if (!stored) return std::unexpected(stored.error());
  std::unordered_map<PartId, const UploadPart*> by_id;
  for (const UploadPart& part : *stored) by_id.emplace(part.id, &part);
  std::vector<Extent> content;
  for (const PartId& id : parts) {
    const auto part = by_id.find(id);
    if (part == by_id.end()) {
      return invalid_param(
          fmt::format("Invalid 'part_ids': upload '{}' has no part '{}'.", upload.id, id),
          "invalid_value", "part_ids");
    }
    content.push_back({part->second->blob, part->second->bytes});
  }
  return content;
}

Status MultipartUploads::check_content(const FileRecord& file,
                                       const std::optional<std::string>& md5) const {
  if (file.purpose != "batch" && !md5) return {};
  const auto reader = FileReader::open(stores_.blobs, file.content);
  if (!reader) return std::unexpected(reader.error());
  if (file.purpose == "batch") {
    BatchFileCheck check;
    auto read = read_through(*reader, [&](std::string_view bytes) {
      check.take(bytes);
      return !check.is_decided();
    });
    if (!read) return read;
    if (auto ok = check.judge(file.filename); !ok) return ok;
  }
  if (!md5) return {};
  const auto wanted = parse_md5(*md5);
  if (!wanted) return std::unexpected(wanted.error());
  Md5 sum;
  auto read = read_through(*reader, [&](std::string_view bytes) {
    sum.update(bytes);
    return true;
  });
  if (!read) return read;
  if (constant_time_equal(sum.finish(), *wanted)) return {};
  return invalid_param("The parts in this order do not have the md5 that the request states.",
                       "md5_mismatch", "md5");
}

Result<EndedUpload> MultipartUploads::completed_before(const UploadRecord& upload,
                                                       const std::vector<PartId>& parts) const {
  auto file = stores_.meta.file(upload.project, *upload.file);
  const auto content = assemble(upload, parts);
  if (!file || !content || file->content != *content) {
    return closed(upload.id, to_string(upload.status));
  }
  return EndedUpload{upload, std::move(*file)};
}

Result<EndedUpload> MultipartUploads::complete(const ProjectId& project, const UploadId& id,
                                               const CompleteUpload& complete) const {
  const auto known = stores_.meta.upload(project, id);
  if (!known) return std::unexpected(known.error());
  if (known->status == UploadStatus::completed) return completed_before(*known, complete.parts);
  const auto upload = open_upload(project, id);
  if (!upload) return std::unexpected(upload.error());
  auto content = assemble(*upload, complete.parts);
  if (!content) return std::unexpected(content.error());
  std::optional<std::chrono::seconds> expiry;
  if (upload->file_expires_after_s) expiry.emplace(*upload->file_expires_after_s);
  FileRecord file =
      new_file_record(stores_, make_file_id(stores_.random),
                      {project, upload->filename, upload->purpose, expiry}, std::move(*content));
  if (file.bytes != upload->bytes) {
    return invalid_param(
        fmt::format("The parts add up to {} bytes, but the upload was created for {} bytes.",
                    file.bytes, upload->bytes),
        "invalid_value", "part_ids");
  }
  if (auto ok = check_content(file, complete.md5); !ok) return std::unexpected(ok.error());
  auto done = stores_.meta.complete_upload(project, id, file);
  if (done) return EndedUpload{std::move(*done), std::move(file)};
  if (done.error().kind != ErrorKind::conflict) return std::unexpected(done.error());
  const auto meanwhile = stores_.meta.upload(project, id);
  if (!meanwhile) return std::unexpected(meanwhile.error());
  if (meanwhile->status == UploadStatus::completed) {
    return completed_before(*meanwhile, complete.parts);
  }
  return std::unexpected(as_callers_mistake(done.error()));
}

Result<UploadRecord> MultipartUploads::cancel(const ProjectId& project, const UploadId& id) const {
  auto known = stores_.meta.upload(project, id);
  if (!known || known->status == UploadStatus::cancelled) return known;
  if (auto upload = open_upload(project, id); !upload) return upload;
  auto cancelled = stores_.meta.cancel_upload(project, id);
  if (!cancelled) return std::unexpected(as_callers_mistake(cancelled.error()));
  return cancelled;
}

Status remove_unrecorded_parts(BlobStore& blobs, MetaStore& meta) {
  const auto keys = blobs.list(kPartsPrefix);
  if (!keys) return std::unexpected(keys.error());
  for (const BlobKey& key : *keys) {
    const std::string_view name = std::string_view(key.text()).substr(kPartsPrefix.size());
    const auto slash = std::min(name.find('/'), name.size());
    const ProjectId project{std::string(name.substr(0, slash))};
    const PartId part{std::string(name.substr(std::min(slash + 1, name.size())))};
    const auto known = meta.part(project, part);
    if (known) continue;
    if (known.error().kind != ErrorKind::not_found) return std::unexpected(known.error());
    if (auto removed = blobs.remove(key); !removed) return removed;
  }
  return {};
}

}  // namespace offpeak
