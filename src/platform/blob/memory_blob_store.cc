#include "platform/blob/memory_blob_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "platform/blob/blob_key.h"

namespace offpeak {
namespace {

constexpr std::uint64_t kRoomyBytes = std::uint64_t{1} << 40;

std::size_t copy_out(const std::string& bytes, std::uint64_t size, std::uint64_t offset,
                     std::span<char> out) {
  const std::uint64_t end = std::min<std::uint64_t>(size, bytes.size());
  if (offset >= end) return 0;
  return bytes.copy(out.data(), std::min<std::uint64_t>(out.size(), end - offset), offset);
}

std::unexpected<Error> no_room() {
  return fail(ErrorKind::storage_full, "the blob store is full");
}

}  // namespace

/// On the disk stand data[0, durable) followed by `cut`: bytes whose truncation was not synced.
struct MemoryBlobStore::Blob {
  mutable std::mutex mutex;
  std::string data;
  std::uint64_t durable = 0;
  std::string cut;
  bool name_durable = false;
};

namespace {

template <class Blob>
class Reader final : public BlobReader {
 public:
  Reader(std::shared_ptr<const Blob> blob, std::uint64_t size)
      : blob_(std::move(blob)), size_(size) {}

  std::uint64_t size() const override { return size_; }

  Result<std::size_t> read_at(std::uint64_t offset, std::span<char> out) const override {
    const std::scoped_lock lock(blob_->mutex);
    return copy_out(blob_->data, size_, offset, out);
  }

 private:
  std::shared_ptr<const Blob> blob_;
  std::uint64_t size_;
};

}  // namespace

class MemoryBlobStore::Writer final : public BlobWriter {
 public:
  Writer(MemoryBlobStore& store, BlobKey key)
      : store_(store), key_(std::move(key)), era_(store.era_) {}

  Status append(std::string_view bytes) override {
    const std::scoped_lock lock(store_.mutex_);
    if (auto alive = check_usable(); !alive) return alive;
    if (store_.full_ && !bytes.empty()) return no_room();
    blob_->data.append(bytes);
    bytes_ = blob_->data.size();
    return {};
  }

  std::uint64_t bytes() const override { return bytes_; }

  Status commit() override {
    const std::scoped_lock lock(store_.mutex_);
    if (auto alive = check_usable(); !alive) return alive;
    blob_->durable = blob_->data.size();
    blob_->name_durable = true;
    store_.blobs_[key_] = std::move(blob_);
    return {};
  }

 private:
  Status check_usable() const {
    if (!blob_) return fail(ErrorKind::internal, fmt::format("blob '{}' is committed", key_));
    return store_.check_alive(era_);
  }

  MemoryBlobStore& store_;
  BlobKey key_;
  std::uint64_t era_;
  std::uint64_t bytes_ = 0;
  std::shared_ptr<Blob> blob_ = std::make_shared<Blob>();
};

class MemoryBlobStore::Append final : public AppendBlob {
 public:
  Append(MemoryBlobStore& store, BlobKey key, std::shared_ptr<Blob> blob)
      : store_(store), key_(std::move(key)), blob_(std::move(blob)), era_(store.era_) {}

  std::uint64_t size() const override {
    const std::scoped_lock lock(blob_->mutex);
    return blob_->data.size();
  }

  Status append(std::string_view bytes) override {
    const std::scoped_lock lock(store_.mutex_, blob_->mutex);
    if (auto alive = store_.check_alive(era_); !alive) return alive;
    if (store_.full_ && !bytes.empty()) return no_room();
    blob_->data.append(bytes);
    return {};
  }

  Status sync() override {
    const std::scoped_lock lock(store_.mutex_, blob_->mutex);
    if (auto alive = store_.check_alive(era_); !alive) return alive;
    blob_->durable = blob_->data.size();
    blob_->cut.clear();
    blob_->name_durable = true;
    return {};
  }

  Status truncate(std::uint64_t bytes) override {
    const std::scoped_lock lock(store_.mutex_, blob_->mutex);
    if (auto alive = store_.check_alive(era_); !alive) return alive;
    if (bytes > blob_->data.size()) {
      return fail(ErrorKind::internal, fmt::format("cannot cut blob '{}' to {} bytes: it has {}",
                                                   key_, bytes, blob_->data.size()));
    }
    if (bytes < blob_->durable) {
      blob_->cut.insert(0, blob_->data, bytes, blob_->durable - bytes);
      blob_->durable = bytes;
    }
    blob_->data.resize(bytes);
    return {};
  }

  Result<std::size_t> read_at(std::uint64_t offset, std::span<char> out) const override {
    const std::scoped_lock lock(blob_->mutex);
    return copy_out(blob_->data, blob_->data.size(), offset, out);
  }

 private:
  MemoryBlobStore& store_;
  BlobKey key_;
  std::shared_ptr<Blob> blob_;
  std::uint64_t era_;
};

MemoryBlobStore::MemoryBlobStore() = default;
MemoryBlobStore::~MemoryBlobStore() = default;

Result<std::unique_ptr<BlobWriter>> MemoryBlobStore::create(const BlobKey& key) {
  if (auto checked = check_blob_key(key); !checked) return std::unexpected(checked.error());
  const std::scoped_lock lock(mutex_);
  return std::make_unique<Writer>(*this, key);
}

Result<std::unique_ptr<BlobReader>> MemoryBlobStore::open(const BlobKey& key) {
  if (auto checked = check_blob_key(key); !checked) return std::unexpected(checked.error());
  const std::scoped_lock lock(mutex_);
  const auto found = blobs_.find(key);
  if (found == blobs_.end()) {
    return fail(ErrorKind::not_found, fmt::format("there is no blob '{}'", key));
  }
  const std::scoped_lock blob_lock(found->second->mutex);
  return std::make_unique<Reader<Blob>>(found->second, found->second->data.size());
}

Result<std::unique_ptr<AppendBlob>> MemoryBlobStore::open_append(const BlobKey& key) {
  if (auto checked = check_blob_key(key); !checked) return std::unexpected(checked.error());
  const std::scoped_lock lock(mutex_);
  std::shared_ptr<Blob>& blob = blobs_[key];
  if (!blob) blob = std::make_shared<Blob>();
  return std::make_unique<Append>(*this, key, blob);
}

Status MemoryBlobStore::remove(const BlobKey& key) {
  if (auto checked = check_blob_key(key); !checked) return checked;
  const std::scoped_lock lock(mutex_);
  blobs_.erase(key);
  return {};
}

Result<std::vector<BlobKey>> MemoryBlobStore::list(std::string_view prefix) {
  const std::scoped_lock lock(mutex_);
  std::vector<BlobKey> keys;
  for (auto blob = blobs_.lower_bound(BlobKey(std::string(prefix)));
       blob != blobs_.end() && blob->first.text().starts_with(prefix); ++blob) {
    keys.push_back(blob->first);
  }
  return keys;
}

Result<std::uint64_t> MemoryBlobStore::free_bytes() {
  const std::scoped_lock lock(mutex_);
  return full_ ? 0 : kRoomyBytes;
}

void MemoryBlobStore::set_full(bool full) {
  const std::scoped_lock lock(mutex_);
  full_ = full;
}

void MemoryBlobStore::lose_unsynced() {
  const std::scoped_lock lock(mutex_);
  ++era_;
  std::erase_if(blobs_, [](const auto& entry) { return !entry.second->name_durable; });
  for (auto& [key, blob] : blobs_) {
    const std::scoped_lock blob_lock(blob->mutex);
    blob->data.resize(blob->durable);
    blob->data += std::exchange(blob->cut, {});
    blob->durable = blob->data.size();
  }
}

Status MemoryBlobStore::check_alive(std::uint64_t era) const {
  if (era == era_) return {};
  return fail(ErrorKind::internal, "the power was cut after this blob was opened");
}

}  // namespace offpeak
