#include "app/sweeper.h"

#include <gtest/gtest.h>

#include "platform/blob/memory_blob_store.h"
#include "platform/meta/memory_meta_store.h"

namespace offpeak {
namespace {

using std::chrono_literals::operator""s;
using std::chrono_literals::operator""min;
using std::chrono_literals::operator""h;

const ProjectId kProject("proj_1");
const WebhookEndpointId kEndpoint("we");

class SweeperTest : public testing::Test {
 protected:
  SweeperTest() {
    EXPECT_TRUE(meta.create_project({.id = kProject, .name = "one"},
                                    {.id = KeyId("key_1"), .project = kProject}));
  }

  BlobKey blob(const std::string& key) {
    EXPECT_TRUE(blobs.create(BlobKey(key)).value()->commit());
    return BlobKey(key);
  }

  FileRecord file(const std::string& id) {
    return {.id = FileId(id), .project = kProject, .created_at = clock.unix_now()};
  }

  UploadId upload_with_parts(int count) {
    const UploadId id("upload_1");
    EXPECT_TRUE(meta.insert_upload({.id = id,
                                    .project = kProject,
                                    .created_at = clock.unix_now(),
                                    .expires_at = clock.unix_now() + 1h},
                                   {}));
    for (int i = 0; i < count; ++i) {
      const std::string name = "part_" + std::to_string(i);
      EXPECT_TRUE(meta.insert_part(
          kProject, {.id = PartId(name), .upload = id, .blob = blob("parts/" + name)}, {}));
    }
    return id;
  }

  void subscribe() {
    EXPECT_TRUE(meta.insert_endpoint(
        {.id = kEndpoint, .project = kProject, .event_types = {"batch.failed"}}, {}));
  }

  /// A batch that ends now, and whose event has reached its receiver.
  WebhookDelivery delivered(const std::string& name) {
    BatchRecord batch{.id = BatchId("batch_" + name), .project = kProject};
    EXPECT_TRUE(meta.insert_batch(batch));
    batch.status = BatchStatus::failed;
    batch.failed_at = clock.unix_now();
    EXPECT_TRUE(meta.update_batch(batch));
    WebhookDelivery delivery = meta.due_deliveries(clock.unix_now(), 1, 1)->at(0);
    delivery.state = DeliveryState::delivered;
    EXPECT_TRUE(meta.record_attempt(delivery, {}));
    return delivery;
  }

  MemoryBlobStore blobs;
  MemoryMetaStore meta;
  ManualClock clock{WallTime(1'700'000'000s)};
};

TEST_F(SweeperTest, ExpiredAndDeletedFilesLoseTheirBytes) {
  FileRecord expiring = file("file-1");
  expiring.expires_at = clock.unix_now() + 1h;
  expiring.content = {{blob("a"), 0}, {blob("b"), 0}};
  FileRecord lasting = file("file-2");
  lasting.content = {{blob("c"), 0}};
  ASSERT_TRUE(meta.insert_file(expiring));
  ASSERT_TRUE(meta.insert_file(lasting));
  EXPECT_FALSE(sweep(blobs, meta, clock));
  EXPECT_EQ(blobs.list("")->size(), 3u);
  clock.advance(1h);
  EXPECT_FALSE(sweep(blobs, meta, clock));
  EXPECT_EQ(blobs.list("")->size(), 1u);
}

TEST_F(SweeperTest, ExpiredUploadLosesItsParts) {
  const UploadId upload = upload_with_parts(3);
  sweep(blobs, meta, clock);
  EXPECT_EQ(blobs.list("parts/")->size(), 3u);
  clock.advance(1h);
  EXPECT_FALSE(sweep(blobs, meta, clock));
  EXPECT_EQ(meta.upload(kProject, upload)->status, UploadStatus::expired);
  EXPECT_TRUE(blobs.list("parts/")->empty());
  EXPECT_TRUE(meta.dead_parts(9)->empty());
}

TEST_F(SweeperTest, ManyPartsTakeSeveralPasses) {
  const UploadId upload = upload_with_parts(150);
  ASSERT_TRUE(meta.cancel_upload(kProject, upload));
  EXPECT_TRUE(sweep(blobs, meta, clock)) << "more is waiting";
  EXPECT_FALSE(sweep(blobs, meta, clock));
  EXPECT_TRUE(blobs.list("")->empty());
}

TEST_F(SweeperTest, RequestsAreForgottenInTheirTime) {
  const UnixSeconds start = clock.unix_now();
  ASSERT_TRUE(meta.insert_file(file("file-1"), {"plain", ""}));
  ASSERT_TRUE(meta.insert_file(file("file-2"), {"keyed", "key"}));
  const auto known = [&](const char* fingerprint) {
    sweep(blobs, meta, clock);
    return meta.made_by(kProject, fingerprint, start)->has_value();
  };
  clock.advance(15min);
  EXPECT_TRUE(known("plain"));
  clock.advance(1s);
  EXPECT_FALSE(known("plain"));
  EXPECT_TRUE(known("keyed"));
  clock.advance(24h);
  EXPECT_FALSE(known("keyed"));
}

TEST_F(SweeperTest, DeliveriesAreForgottenAfterThirtyDays) {
  subscribe();
  const WebhookDelivery delivery = delivered("1");
  clock.advance(30 * 24h);
  sweep(blobs, meta, clock);
  EXPECT_TRUE(meta.delivery(kProject, delivery.id));
  clock.advance(1s);
  sweep(blobs, meta, clock);
  EXPECT_FALSE(meta.delivery(kProject, delivery.id));
}

TEST_F(SweeperTest, YoungerDeliveriesStay) {
  subscribe();
  delivered("1");
  clock.advance(29 * 24h);
  delivered("2");
  clock.advance(2 * 24h);
  sweep(blobs, meta, clock);
  const auto left = meta.deliveries(kProject, kEndpoint, {})->data;
  ASSERT_EQ(left.size(), 1u);
  EXPECT_EQ(left.front().webhook_id, "wh_2");
}

TEST_F(SweeperTest, FailingStoreIsNoEndlessLoop) {
  const UploadId upload = upload_with_parts(150);
  ASSERT_TRUE(meta.cancel_upload(kProject, upload));
  meta.fail_writes(Error{ErrorKind::storage_full, "full"});
  EXPECT_FALSE(sweep(blobs, meta, clock));
}

}  // namespace
}  // namespace offpeak
