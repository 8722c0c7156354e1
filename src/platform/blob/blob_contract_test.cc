// The contract of blob_store.h, held against every implementation.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "platform/blob/blob_store.h"
#include "platform/blob/disk_blob_store.h"
#include "platform/blob/memory_blob_store.h"

namespace offpeak {
namespace {

class MemoryFixture {
 public:
  BlobStore& store() { return store_; }

 private:
  MemoryBlobStore store_;
};

class DiskFixture {
 public:
  DiskFixture() {
    std::string pattern = testing::TempDir() + "blobsXXXXXX";
    root_ = ::mkdtemp(pattern.data());
    store_ = DiskBlobStore::open(root_).value();
  }
  ~DiskFixture() {
    store_.reset();
    std::filesystem::remove_all(root_);
  }
  BlobStore& store() { return *store_; }

 private:
  std::filesystem::path root_;
  std::unique_ptr<DiskBlobStore> store_;
};

const BlobKey kKey("files/one/input.jsonl");

template <class Fixture>
class BlobContract : public testing::Test {
 protected:
  BlobStore& store() { return fixture_.store(); }

  void put(const BlobKey& key, std::string_view bytes) {
    auto writer = store().create(key).value();
    ASSERT_TRUE(writer->append(bytes));
    ASSERT_TRUE(writer->commit());
  }

  template <class Readable>
  static std::string read(const Readable& blob, std::uint64_t offset, std::size_t bytes) {
    std::string out(bytes, '?');
    out.resize(blob.read_at(offset, out).value());
    return out;
  }

  std::string content(const BlobKey& key) {
    auto reader = store().open(key);
    return reader ? read(**reader, 0, (*reader)->size()) : "<" + reader.error().message + ">";
  }

  std::vector<std::string> keys(std::string_view prefix) {
    std::vector<std::string> texts;
    for (const BlobKey& key : store().list(prefix).value()) texts.push_back(key.text());
    return texts;
  }

 private:
  Fixture fixture_;
};

using Stores = testing::Types<MemoryFixture, DiskFixture>;
TYPED_TEST_SUITE(BlobContract, Stores);

TYPED_TEST(BlobContract, CommittedBlobReadsBackWhole) {
  auto writer = this->store().create(kKey).value();
  ASSERT_TRUE(writer->append("hello "));
  ASSERT_TRUE(writer->append(std::string_view("\0\xff\n", 3)));
  EXPECT_EQ(writer->bytes(), 9);
  ASSERT_TRUE(writer->commit());
  EXPECT_EQ(this->content(kKey), std::string("hello \0\xff\n", 9));
  EXPECT_EQ(writer->bytes(), 9);
}

TYPED_TEST(BlobContract, BlobIsInvisibleBeforeCommit) {
  auto writer = this->store().create(kKey).value();
  ASSERT_TRUE(writer->append("x"));
  EXPECT_EQ(this->store().open(kKey).error().kind, ErrorKind::not_found);
  EXPECT_TRUE(this->keys("").empty());
}

TYPED_TEST(BlobContract, WriterDestroyedWithoutCommitLeavesNothing) {
  this->put(kKey, "old");
  ASSERT_TRUE(this->store().create(kKey).value()->append("new"));
  EXPECT_EQ(this->content(kKey), "old");
  EXPECT_EQ(this->keys("").size(), 1);
}

TYPED_TEST(BlobContract, CommitReplacesAndReadersKeepWhatTheyOpened) {
  this->put(kKey, "old");
  const auto reader = this->store().open(kKey).value();
  this->put(kKey, "newer");
  EXPECT_EQ(this->read(*reader, 0, 10), "old");
  EXPECT_EQ(this->content(kKey), "newer");
}

TYPED_TEST(BlobContract, CommittedWriterTakesNothingMore) {
  auto writer = this->store().create(kKey).value();
  ASSERT_TRUE(writer->commit());
  EXPECT_EQ(writer->append("x").error().kind, ErrorKind::internal);
  EXPECT_EQ(writer->commit().error().kind, ErrorKind::internal);
  EXPECT_EQ(this->content(kKey), "");
}

TYPED_TEST(BlobContract, ReadsAtAnyOffsetAndShortOnlyAtTheEnd) {
  this->put(kKey, "0123456789");
  const auto reader = this->store().open(kKey).value();
  EXPECT_EQ(reader->size(), 10);
  EXPECT_EQ(this->read(*reader, 3, 4), "3456");
  EXPECT_EQ(this->read(*reader, 8, 4), "89");
  EXPECT_EQ(this->read(*reader, 10, 4), "");
  EXPECT_EQ(this->read(*reader, 1000, 4), "");
}

TYPED_TEST(BlobContract, ReaderOutlivesRemoval) {
  this->put(kKey, "still here");
  const auto reader = this->store().open(kKey).value();
  ASSERT_TRUE(this->store().remove(kKey));
  EXPECT_EQ(this->store().open(kKey).error().kind, ErrorKind::not_found);
  EXPECT_EQ(this->read(*reader, 0, 100), "still here");
}

TYPED_TEST(BlobContract, RemovingWhatIsNotThereIsNoError) {
  EXPECT_TRUE(this->store().remove(kKey));
  this->put(kKey, "x");
  EXPECT_TRUE(this->store().remove(kKey));
  EXPECT_TRUE(this->store().remove(kKey));
  EXPECT_TRUE(this->store().remove(BlobKey("files/one/input.jsonl.2")));
}

TYPED_TEST(BlobContract, UnknownBlobIsNotFound) {
  EXPECT_EQ(this->store().open(kKey).error().kind, ErrorKind::not_found);
}

TYPED_TEST(BlobContract, BadKeysAreRefusedEverywhere) {
  const std::vector<std::string> bad = {"",
                                        "/",
                                        "a/",
                                        "/a",
                                        "a//b",
                                        ".",
                                        "..",
                                        "a/../b",
                                        ".hidden",
                                        "a/.b",
                                        "a b",
                                        "ä",
                                        "a\\b",
                                        std::string("a\0b", 3),
                                        std::string(513, 'a'),
                                        "a/" + std::string(201, 'b')};
  for (const std::string& text : bad) {
    const BlobKey key(text);
    EXPECT_EQ(this->store().create(key).error().kind, ErrorKind::internal) << text;
    EXPECT_EQ(this->store().open(key).error().kind, ErrorKind::internal) << text;
    EXPECT_EQ(this->store().open_append(key).error().kind, ErrorKind::internal) << text;
    EXPECT_EQ(this->store().remove(key).error().kind, ErrorKind::internal) << text;
  }
  this->put(BlobKey("A-z_0.9/" + std::string(200, 'b')), "fine");
}

TYPED_TEST(BlobContract, ListsKeysByPrefixSorted) {
  for (const char* key : {"b/10/x", "b/1/y", "b/1/x", "a", "b/1.z", "c/b/1/x"}) {
    this->put(BlobKey(key), "");
  }
  ASSERT_TRUE(this->store().open_append(BlobKey("b/1/w")).value()->append("1"));
  using Keys = std::vector<std::string>;
  EXPECT_EQ(this->keys("b/1/"), (Keys{"b/1/w", "b/1/x", "b/1/y"}));
  EXPECT_EQ(this->keys("b/1"), (Keys{"b/1.z", "b/1/w", "b/1/x", "b/1/y", "b/10/x"}));
  EXPECT_EQ(this->keys("a"), (Keys{"a"}));
  EXPECT_EQ(this->keys("").size(), 7);
  EXPECT_EQ(this->keys("../"), Keys{});
  EXPECT_EQ(this->keys("zzz/"), Keys{});
}

TYPED_TEST(BlobContract, AppendBlobGrowsAndIsReadableAtOnce) {
  auto blob = this->store().open_append(kKey).value();
  EXPECT_EQ(blob->size(), 0);
  ASSERT_TRUE(blob->append("one,"));
  ASSERT_TRUE(blob->append("two"));
  EXPECT_EQ(blob->size(), 7);
  EXPECT_EQ(this->read(*blob, 4, 100), "two");
  EXPECT_EQ(this->read(*blob, 7, 100), "");
  EXPECT_EQ(this->content(kKey), "one,two");
}

TYPED_TEST(BlobContract, AppendBlobGoesOnWhereItStopped) {
  {
    auto blob = this->store().open_append(kKey).value();
    ASSERT_TRUE(blob->append("one,"));
    ASSERT_TRUE(blob->sync());
  }
  auto blob = this->store().open_append(kKey).value();
  EXPECT_EQ(blob->size(), 4);
  ASSERT_TRUE(blob->append("two"));
  EXPECT_EQ(this->content(kKey), "one,two");
}

TYPED_TEST(BlobContract, TruncateCutsAndTheNextAppendFollows) {
  auto blob = this->store().open_append(kKey).value();
  ASSERT_TRUE(blob->append("one,two"));
  ASSERT_TRUE(blob->truncate(4));
  EXPECT_EQ(blob->size(), 4);
  ASSERT_TRUE(blob->append("three"));
  ASSERT_TRUE(blob->sync());
  EXPECT_EQ(this->content(kKey), "one,three");
  EXPECT_EQ(blob->truncate(10).error().kind, ErrorKind::internal);
  EXPECT_EQ(blob->size(), 9);
}

TYPED_TEST(BlobContract, ReaderOfAGrowingBlobEndsWhereItWasOpened) {
  auto blob = this->store().open_append(kKey).value();
  ASSERT_TRUE(blob->append("one,"));
  const auto reader = this->store().open(kKey).value();
  ASSERT_TRUE(blob->append("two"));
  EXPECT_EQ(reader->size(), 4);
  EXPECT_EQ(this->read(*reader, 0, 100), "one,");
}

TYPED_TEST(BlobContract, SyncAndSizeRunBesideAppend) {
  auto blob = this->store().open_append(kKey).value();
  std::thread syncing([&] {
    std::uint64_t seen = 0;
    while (seen < 4000) {
      ASSERT_TRUE(blob->sync());
      ASSERT_GE(blob->size(), seen);
      seen = blob->size();
    }
  });
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(blob->append("abcd"));
  syncing.join();
  EXPECT_EQ(this->content(kKey).size(), 4000);
}

TYPED_TEST(BlobContract, CreateAndRemoveFromManyThreads) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) {
        const BlobKey key("shared/folder/" + std::to_string(t));
        this->put(key, "x");
        ASSERT_EQ(this->content(key), "x");
        ASSERT_TRUE(this->store().remove(key));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(this->keys("").empty());
}

TYPED_TEST(BlobContract, KnowsItsFreeSpace) {
  EXPECT_GT(this->store().free_bytes().value(), 0);
}

}  // namespace
}  // namespace offpeak
