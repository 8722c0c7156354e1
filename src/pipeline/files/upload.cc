#include "pipeline/files/upload.h"

#include <fmt/format.h>

#include <utility>

#include "core/openai/ids.h"

namespace offpeak {
namespace {

constexpr auto kBatchFileLife = std::chrono::days(30);

BlobKey file_key(const FileId& id) {
  return BlobKey(fmt::format("files/{}", id));
}

}  // namespace

FileRecord new_file_record(const FileStores& stores, FileId id, const FileAttributes& attributes,
                           std::vector<Extent> content) {
  FileRecord file{.id = std::move(id),
                  .project = attributes.project,
                  .created_at = stores.clock.unix_now(),
                  .filename = attributes.filename,
                  .purpose = attributes.purpose,
                  .content = std::move(content)};
  for (const Extent& extent : file.content) file.bytes += extent.bytes;
  if (attributes.expires_after) {
    file.expires_at = file.created_at + *attributes.expires_after;
  } else if (attributes.purpose == "batch") {
    file.expires_at = file.created_at + kBatchFileLife;
  }
  return file;
}

Upload::Upload(FileStores stores, std::uint64_t bytes_max, FileId id,
               std::unique_ptr<BlobWriter> writer)
    : stores_(stores), bytes_max_(bytes_max), id_(std::move(id)), writer_(std::move(writer)) {}

Result<Upload> Upload::start(FileStores stores, std::uint64_t bytes_max) {
  auto id = make_file_id(stores.random);
  auto writer = stores.blobs.create(file_key(id));
  if (!writer) return std::unexpected(writer.error());
  return Upload(stores, bytes_max, std::move(id), std::move(*writer));
}

Status Upload::append(std::string_view bytes) {
  if (writer_->bytes() + bytes.size() > bytes_max_) {
    return fail(ErrorKind::too_large,
                fmt::format("File is too large. At most {} bytes are accepted here "
                            "(limits.file_bytes).",
                            bytes_max_));
  }
  check_.take(bytes);
  hash_.update(bytes);
  return writer_->append(bytes);
}

Result<FileRecord> Upload::finish(const FileAttributes& attributes, const RequestMark& mark) {
  if (attributes.purpose == "batch") {
    if (auto ok = check_.judge(attributes.filename); !ok) return std::unexpected(ok.error());
  }
  if (auto committed = writer_->commit(); !committed) return std::unexpected(committed.error());
  FileRecord file = new_file_record(stores_, id_, attributes, {{file_key(id_), writer_->bytes()}});
  if (auto inserted = stores_.meta.insert_file(file, mark); !inserted) {
    static_cast<void>(stores_.blobs.remove(file_key(id_)));
    return std::unexpected(inserted.error());
  }
  return file;
}

}  // namespace offpeak
