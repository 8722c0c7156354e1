#include "app/sweeper.h"

#include "platform/observe/log.h"

namespace offpeak {
namespace {

constexpr std::size_t kFilesPerPass = 100;

Status purge(BlobStore& blobs, MetaStore& meta, const FileRecord& file) {
  for (const Extent& extent : file.content) {
    if (auto removed = blobs.remove(extent.blob); !removed) return removed;
  }
  return meta.purge_file(file.id);
}

}  // namespace

bool sweep_files(BlobStore& blobs, MetaStore& meta, const Clock& clock) {
  if (auto expired = meta.delete_expired_files(clock.unix_now()); !expired) {
    log::error("files", "expired files cannot be deleted: {}", expired.error().message);
  }
  const auto files = meta.purgeable_files(kFilesPerPass);
  if (!files) {
    log::error("files", "deleted files cannot be listed: {}", files.error().message);
    return false;
  }
  for (const FileRecord& file : *files) {
    if (auto purged = purge(blobs, meta, file); !purged) {
      log::error("files", "file {} cannot be purged: {}", file.id, purged.error().message);
      return false;
    }
  }
  return files->size() == kFilesPerPass;
}

}  // namespace offpeak
