#include "pipeline/files/upload.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/jsonl/json_text.h"
#include "core/openai/ids.h"

namespace offpeak {
namespace {

/// A first line longer than this is left for intake to judge.
constexpr std::size_t kFirstLineMax = 16u << 20;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
/// Batch input files expire by default (contract section 1.2).
constexpr auto kBatchFileLife = std::chrono::days(30);

BlobKey file_key(const FileId& id) {
  return BlobKey(fmt::format("files/{}", id));
}

}  // namespace

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
  keep_first_line(bytes);
  return writer_->append(bytes);
}

void Upload::keep_first_line(std::string_view bytes) {
  while (!first_line_ended_ && !bytes.empty()) {
    const auto end = bytes.find('\n');
    first_line_ += bytes.substr(0, end);
    bytes.remove_prefix(std::min(bytes.size(), end == std::string_view::npos ? end : end + 1));
    const bool blank = first_line_.find_first_not_of(" \t\r") == std::string::npos;
    first_line_ended_ =
        (end != std::string_view::npos && !blank) || first_line_.size() > kFirstLineMax;
    if (end != std::string_view::npos && blank) first_line_.clear();
  }
}

bool Upload::first_line_is_json() const {
  if (first_line_.size() > kFirstLineMax) return true;
  std::string_view line = first_line_;
  if (line.starts_with(kByteOrderMark)) line.remove_prefix(kByteOrderMark.size());
  return matches_json_grammar(line);
}

Result<FileRecord> Upload::finish(const FileAttributes& attributes) {
  if (attributes.purpose == "batch" && (!attributes.filename.ends_with(".jsonl") ||
                                        writer_->bytes() == 0 || !first_line_is_json())) {
    return fail(ErrorKind::invalid_request, "Invalid file format for Batch API. Must be .jsonl");
  }
  if (auto committed = writer_->commit(); !committed) return std::unexpected(committed.error());
  FileRecord file{.id = id_,
                  .project = attributes.project,
                  .bytes = writer_->bytes(),
                  .created_at = stores_.clock.unix_now(),
                  .filename = attributes.filename,
                  .purpose = attributes.purpose,
                  .content = {{file_key(id_), writer_->bytes()}}};
  if (attributes.expires_after) {
    file.expires_at = file.created_at + *attributes.expires_after;
  } else if (attributes.purpose == "batch") {
    file.expires_at = file.created_at + kBatchFileLife;
  }
  if (auto inserted = stores_.meta.insert_file(file); !inserted) {
    static_cast<void>(stores_.blobs.remove(file_key(id_)));
    return std::unexpected(inserted.error());
  }
  return file;
}

}  // namespace offpeak
