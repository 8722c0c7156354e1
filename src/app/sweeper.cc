#include "app/sweeper.h"

#include <string_view>

#include "platform/observe/log.h"

namespace offpeak {
namespace {

constexpr std::size_t kObjectsPerPass = 100;
constexpr std::chrono::days kDeliveryLife{30};

/// Says in the log what went wrong, and whether nothing did.
template <class T>
bool noted(const Result<T>& done, std::string_view what) {
  if (!done) log::error("sweep", "{}: {}", what, done.error().message);
  return done.has_value();
}

Status purge(BlobStore& blobs, MetaStore& meta, const FileRecord& file) {
  for (const Extent& extent : file.content) {
    if (auto removed = blobs.remove(extent.blob); !removed) return removed;
  }
  return meta.purge_file(file.id);
}

bool sweep_files(BlobStore& blobs, MetaStore& meta, UnixSeconds now) {
  noted(meta.delete_expired_files(now), "expired files cannot be deleted");
  const auto files = meta.purgeable_files(kObjectsPerPass);
  if (!noted(files, "deleted files cannot be listed")) return false;
  for (const FileRecord& file : *files) {
    if (!noted(purge(blobs, meta, file), "a deleted file cannot be purged")) return false;
  }
  return files->size() == kObjectsPerPass;
}

bool sweep_uploads(BlobStore& blobs, MetaStore& meta, UnixSeconds now) {
  noted(meta.expire_uploads(now), "uploads cannot be made to expire");
  const auto parts = meta.dead_parts(kObjectsPerPass);
  if (!noted(parts, "unwanted parts cannot be listed")) return false;
  for (const UploadPart& part : *parts) {
    if (!noted(blobs.remove(part.blob), "an unwanted part cannot be removed")) return false;
    if (!noted(meta.forget_part(part.id), "an unwanted part cannot be forgotten")) return false;
  }
  return parts->size() == kObjectsPerPass;
}

}  // namespace

bool sweep(BlobStore& blobs, MetaStore& meta, const Clock& clock) {
  const UnixSeconds now = clock.unix_now();
  const bool more_files = sweep_files(blobs, meta, now);
  const bool more_parts = sweep_uploads(blobs, meta, now);
  noted(meta.forget_requests(now - kKeyedRequestLife, now - kUnkeyedRequestLife),
        "old requests cannot be forgotten");
  noted(meta.forget_deliveries(now - kDeliveryLife), "old deliveries cannot be forgotten");
  return more_files || more_parts;
}

}  // namespace offpeak
