// What MemoryBlobStore adds to the contract: a full disk and power cuts.
#include "platform/blob/memory_blob_store.h"

#include <gtest/gtest.h>

namespace offpeak {
namespace {

const BlobKey kKey("j/1");

class MemoryBlobStoreTest : public testing::Test {
 protected:
  std::string content(const BlobKey& key) {
    const auto reader = store_.open(key);
    if (!reader) return "<none>";
    std::string out((*reader)->size(), '?');
    out.resize((*reader)->read_at(0, out).value());
    return out;
  }

  MemoryBlobStore store_;
};

TEST_F(MemoryBlobStoreTest, FullStoreRefusesAppendsAndTakesThemAgainLater) {
  auto writer = store_.create(BlobKey("w")).value();
  auto blob = store_.open_append(kKey).value();
  store_.set_full(true);
  EXPECT_EQ(store_.free_bytes().value(), 0);
  EXPECT_EQ(writer->append("x").error().kind, ErrorKind::storage_full);
  EXPECT_EQ(blob->append("x").error().kind, ErrorKind::storage_full);
  EXPECT_EQ(blob->size(), 0);
  store_.set_full(false);
  EXPECT_TRUE(writer->append("y"));
  EXPECT_TRUE(blob->append("y"));
  EXPECT_EQ(content(kKey), "y");
}

TEST_F(MemoryBlobStoreTest, PowerCutLosesWhatWasNotSynced) {
  auto blob = store_.open_append(kKey).value();
  ASSERT_TRUE(blob->append("kept"));
  ASSERT_TRUE(blob->sync());
  ASSERT_TRUE(blob->append("lost"));
  store_.lose_unsynced();
  EXPECT_EQ(content(kKey), "kept");
  EXPECT_EQ(blob->append("x").error().kind, ErrorKind::internal);
  EXPECT_EQ(blob->sync().error().kind, ErrorKind::internal);
}

TEST_F(MemoryBlobStoreTest, PowerCutLosesTheNameOfABlobNeverSynced) {
  ASSERT_TRUE(store_.open_append(kKey).value()->append("lost"));
  store_.lose_unsynced();
  EXPECT_EQ(content(kKey), "<none>");
}

TEST_F(MemoryBlobStoreTest, PowerCutKeepsCommittedBlobsAndDropsOthers) {
  auto committed = store_.create(BlobKey("a")).value();
  ASSERT_TRUE(committed->append("whole"));
  ASSERT_TRUE(committed->commit());
  auto open = store_.create(BlobKey("b")).value();
  ASSERT_TRUE(open->append("part"));
  store_.lose_unsynced();
  EXPECT_EQ(open->commit().error().kind, ErrorKind::internal);
  EXPECT_EQ(content(BlobKey("a")), "whole");
  EXPECT_EQ(content(BlobKey("b")), "<none>");
}

TEST_F(MemoryBlobStoreTest, PowerCutUndoesATruncationThatWasNotSynced) {
  auto blob = store_.open_append(kKey).value();
  ASSERT_TRUE(blob->append("0123456789"));
  ASSERT_TRUE(blob->sync());
  ASSERT_TRUE(blob->truncate(6));
  ASSERT_TRUE(blob->append("x"));
  ASSERT_TRUE(blob->truncate(3));
  ASSERT_TRUE(blob->append("yy"));
  store_.lose_unsynced();
  EXPECT_EQ(content(kKey), "0123456789");
}

TEST_F(MemoryBlobStoreTest, SyncedTruncationSurvivesAPowerCut) {
  auto blob = store_.open_append(kKey).value();
  ASSERT_TRUE(blob->append("0123456789"));
  ASSERT_TRUE(blob->sync());
  ASSERT_TRUE(blob->truncate(3));
  ASSERT_TRUE(blob->sync());
  store_.lose_unsynced();
  EXPECT_EQ(content(kKey), "012");
}

}  // namespace
}  // namespace offpeak
