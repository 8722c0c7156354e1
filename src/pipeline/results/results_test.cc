#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <map>
#include <set>

#include "base/random.h"
#include "pipeline/results/journal_sync.h"
#include "pipeline/results/part.h"
#include "pipeline/results/recovery.h"
#include "platform/blob/memory_blob_store.h"

namespace offpeak {
namespace {

const BatchId kBatch("batch_1");

std::string read_all(BlobStore& blobs, const std::vector<Extent>& extents) {
  std::string all;
  for (const auto& extent : extents) {
    std::string bytes(extent.bytes, '\0');
    EXPECT_EQ((*blobs.open(extent.blob))->read_at(0, bytes).value(), extent.bytes);
    all += bytes;
  }
  return all;
}

/// A worker that appends, flushes and syncs at random, and remembers what it was told.
class RandomWorker {
 public:
  RandomWorker(BlobStore& blobs, std::uint64_t epoch, std::uint64_t seed)
      : part_(Part::create(blobs, kBatch, epoch).value()), random_(seed) {}

  void run(std::uint32_t first_row, std::uint32_t rows) {
    for (std::uint32_t row = first_row; row < first_row + rows; ++row) {
      const auto file = random_.u64() % 4 == 0 ? ResultFile::errors : ResultFile::output;
      const std::string line = std::to_string(row) + random_.hex(random_.u64() % 50) + "\n";
      lines[row] = line;
      part_->append({.row = row, .file = file, .usage = {row, 0, 1, 0}}, line);
      if (random_.u64() % 3 == 0) {
        EXPECT_TRUE(part_->flush());
        flushed = row + 1;
      }
      if (random_.u64() % 7 == 0) {
        EXPECT_TRUE(part_->sync());
        durable = flushed;
      }
    }
  }

  std::map<std::uint32_t, std::string> lines;
  std::uint32_t flushed = 0;
  std::uint32_t durable = 0;

 private:
  std::unique_ptr<Part> part_;
  SeededRandom random_;
};

void expect_recovered(BlobStore& blobs, const std::map<std::uint32_t, std::string>& lines,
                      std::uint32_t at_least, std::uint32_t at_most, std::uint32_t first = 0) {
  std::set<std::uint32_t> rows;
  std::string output;
  std::string errors;
  const auto recovered = recover_parts(blobs, kBatch, [&](const LedgerRecord& record) {
    EXPECT_TRUE(rows.insert(record.row).second) << "row twice: " << record.row;
    (record.file == ResultFile::output ? output : errors) += lines.at(record.row);
  });
  ASSERT_TRUE(recovered) << recovered.error().message;
  EXPECT_GE(rows.size(), at_least);
  EXPECT_LE(rows.size(), at_most);
  if (!rows.empty()) EXPECT_EQ(*rows.rbegin(), first + rows.size() - 1) << "a gap";
  EXPECT_EQ(recovered->totals.rows, rows.size());
  EXPECT_EQ(read_all(blobs, recovered->output), output);
  EXPECT_EQ(read_all(blobs, recovered->errors), errors);
}

TEST(Recovery, AKilledProcessLosesNothingItHasFlushed) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    MemoryBlobStore blobs;
    RandomWorker worker(blobs, 1, seed);
    worker.run(0, 60);
    expect_recovered(blobs, worker.lines, worker.flushed, worker.flushed);
  }
}

TEST(Recovery, APowerCutLosesNothingThatWasSynced) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    MemoryBlobStore blobs;
    RandomWorker worker(blobs, 1, seed);
    worker.run(0, 60);
    blobs.lose_unsynced();
    expect_recovered(blobs, worker.lines, worker.durable, worker.flushed);
  }
}

TEST(Recovery, PartsOfSeveralEpochsAddUp) {
  MemoryBlobStore blobs;
  RandomWorker first(blobs, 9, 1);
  first.run(0, 40);
  std::uint32_t done = 0;
  ASSERT_TRUE(recover_parts(blobs, kBatch, [&](const LedgerRecord&) { ++done; }));
  RandomWorker second(blobs, 10, 2);
  second.run(done, 40);
  auto lines = first.lines;
  for (const auto& [row, line] : second.lines) lines[row] = line;
  expect_recovered(blobs, lines, second.flushed, second.flushed);
}

/// Overwrites bytes of a stored blob, as a power cut that kept the size but not the data would.
void damage(BlobStore& blobs, const BlobKey& key, std::uint64_t from) {
  auto blob = blobs.open_append(key).value();
  const auto size = blob->size();
  ASSERT_TRUE(blob->truncate(from));
  ASSERT_TRUE(blob->append(std::string(size - from, '\0')));
  ASSERT_TRUE(blob->sync());
}

TEST(Recovery, ALedgerRecordWhoseLineIsDamagedDoesNotCount) {
  MemoryBlobStore blobs;
  auto part = Part::create(blobs, kBatch, 1).value();
  for (std::uint32_t row = 0; row < 10; ++row) {
    part->append({.row = row}, "line " + std::to_string(row) + "\n");
    ASSERT_TRUE(part->flush());
    if (row == 4) ASSERT_TRUE(part->sync());
  }
  damage(blobs, part_key(kBatch, 1, "output"), 7 * 7 + 3);
  std::uint32_t rows = 0;
  const auto recovered = recover_parts(blobs, kBatch, [&](const LedgerRecord&) { ++rows; });
  ASSERT_TRUE(recovered);
  EXPECT_EQ(rows, 7u);
  EXPECT_EQ(recovered->output.at(0).bytes, 7u * 7u);
}

TEST(Recovery, GarbageBehindTheLedgerIsCutOff) {
  MemoryBlobStore blobs;
  auto part = Part::create(blobs, kBatch, 1).value();
  part->append({.row = 0}, "x\n");
  ASSERT_TRUE(part->flush());
  ASSERT_TRUE(blobs.open_append(part_key(kBatch, 1, "ledger")).value()->append("torn"));
  ASSERT_TRUE(blobs.open_append(part_key(kBatch, 1, "output")).value()->append("torn"));
  const auto recovered = recover_parts(blobs, kBatch, [](const LedgerRecord&) {});
  ASSERT_TRUE(recovered);
  EXPECT_EQ(read_all(blobs, recovered->output), "x\n");
}

TEST(Recovery, AnEmptyPartIsRemoved) {
  MemoryBlobStore blobs;
  {
    auto part = Part::create(blobs, kBatch, 1).value();
  }
  ASSERT_TRUE(recover_parts(blobs, kBatch, [](const LedgerRecord&) { FAIL(); }));
  EXPECT_TRUE(blobs.list("")->empty());
}

TEST(Part, AFullDiskLosesNothing) {
  MemoryBlobStore blobs;
  auto part = Part::create(blobs, kBatch, 1).value();
  part->append({.row = 0}, "zero\n");
  blobs.set_full(true);
  const auto refused = part->flush();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::storage_full);
  part->append({.row = 1}, "one\n");
  blobs.set_full(false);
  ASSERT_TRUE(part->flush());
  ASSERT_TRUE(part->sync());
  EXPECT_EQ(part->durable().rows, 2u);
  EXPECT_EQ(read_all(blobs, part->extents(ResultFile::output)), "zero\none\n");
}

TEST(Part, CountsNothingInPublicBeforeItIsDurable) {
  MemoryBlobStore blobs;
  auto part = Part::create(blobs, kBatch, 1).value();
  part->append({.row = 0}, "a\n");
  ASSERT_TRUE(part->flush());
  EXPECT_EQ(part->written().rows, 1u);
  EXPECT_EQ(part->durable().rows, 0u);
  ASSERT_TRUE(part->sync());
  EXPECT_EQ(part->durable(), part->written());
}

/// A store whose first sync waits until it is let go.
class SlowFirstSync final : public BlobStore {
 public:
  Result<std::unique_ptr<BlobWriter>> create(const BlobKey& key) override {
    return memory_.create(key);
  }
  Result<std::unique_ptr<BlobReader>> open(const BlobKey& key) override {
    return memory_.open(key);
  }
  Status remove(const BlobKey& key) override { return memory_.remove(key); }
  Result<std::vector<BlobKey>> list(std::string_view prefix) override {
    return memory_.list(prefix);
  }
  Result<std::uint64_t> free_bytes() override { return memory_.free_bytes(); }
  Result<std::unique_ptr<AppendBlob>> open_append(const BlobKey& key) override {
    auto blob = memory_.open_append(key);
    if (!blob) return std::unexpected(blob.error());
    return std::make_unique<Blob>(*this, std::move(*blob));
  }

  std::promise<void> first_sync_began;
  std::promise<void> let_go;

 private:
  class Blob final : public AppendBlob {
   public:
    Blob(SlowFirstSync& store, std::unique_ptr<AppendBlob> blob)
        : store_(store), blob_(std::move(blob)) {}
    std::uint64_t size() const override { return blob_->size(); }
    Status append(std::string_view bytes) override { return blob_->append(bytes); }
    Status truncate(std::uint64_t bytes) override { return blob_->truncate(bytes); }
    Result<std::size_t> read_at(std::uint64_t offset, std::span<char> out) const override {
      return blob_->read_at(offset, out);
    }
    Status sync() override {
      if (!store_.slowed_.exchange(true)) {
        store_.first_sync_began.set_value();
        store_.let_go.get_future().wait();
      }
      return blob_->sync();
    }

   private:
    SlowFirstSync& store_;
    std::unique_ptr<AppendBlob> blob_;
  };

  MemoryBlobStore memory_;
  std::atomic<bool> slowed_ = false;
};

TEST(Part, WhatIsDurableNeverShrinksWhileTwoThreadsSync) {
  SlowFirstSync blobs;
  auto part = Part::create(blobs, kBatch, 1).value();
  part->append({.row = 0}, "a\n");
  ASSERT_TRUE(part->flush());
  auto group_commit = std::async(std::launch::async, [&] { return part->sync(); });
  blobs.first_sync_began.get_future().wait();
  part->append({.row = 1}, "b\n");
  ASSERT_TRUE(part->flush());
  auto finalizer = std::async(std::launch::async, [&] {
    const auto synced = part->sync();
    return synced ? part->durable().rows : 0;
  });
  // Were the second sync not to wait for the first, it would be done long before this.
  EXPECT_EQ(finalizer.wait_for(std::chrono::milliseconds(50)), std::future_status::timeout);
  blobs.let_go.set_value();
  EXPECT_TRUE(group_commit.get());
  EXPECT_EQ(finalizer.get(), 2u);
  EXPECT_EQ(part->durable().rows, 2u);
}

TEST(JournalSync, MakesRequestedPartsDurable) {
  MemoryBlobStore blobs;
  std::shared_ptr<Part> part = Part::create(blobs, kBatch, 1).value();
  part->append({.row = 0}, "a\n");
  ASSERT_TRUE(part->flush());
  {
    JournalSync sync(std::chrono::milliseconds(1), [](const Error&) { FAIL(); });
    sync.request(part);
  }
  EXPECT_EQ(part->durable().rows, 1u);
}

}  // namespace
}  // namespace offpeak
