// The contract of meta_store.h: leases, the end of a batch, many threads.
#include <atomic>
#include <thread>

#include "platform/meta/meta_contract.h"

namespace offpeak::meta_test {
namespace {

const BatchId kBatch("b");
const WorkerId kAnn("ann");
const WorkerId kBob("bob");

template <class Fixture>
class MetaLeaseContract : public MetaContract<Fixture> {
 protected:
  MetaLeaseContract() { EXPECT_TRUE(this->store().insert_batch(batch_record("b"))); }

  Lease acquire(const WorkerId& worker, std::int64_t now) {
    return this->store().acquire_lease(kBatch, worker, 500, at(now), 30s).value();
  }
};
TYPED_TEST_SUITE(MetaLeaseContract, Stores);

FileRecord result_file(std::string id) {
  FileRecord file = file_record(std::move(id));
  file.purpose = "batch_output";
  return file;
}

BatchRecord completed_batch() {
  BatchRecord batch = with_status(batch_record("b"), BatchStatus::completed);
  batch.output_file = FileId("out");
  batch.completed_at = at(200);
  return batch;
}

TYPED_TEST(MetaLeaseContract, LeaseCoversTheBatchUntilItsTime) {
  const Lease lease = this->acquire(kAnn, 100);
  EXPECT_EQ(lease.batch, kBatch);
  EXPECT_EQ(lease.worker, kAnn);
  EXPECT_GT(lease.epoch, 0);
  EXPECT_EQ(lease.first, 0);
  EXPECT_EQ(lease.last, 500);
  EXPECT_EQ(lease.expires_at, at(130));
}

TYPED_TEST(MetaLeaseContract, UnexpiredLeaseKeepsOthersAway) {
  this->acquire(kAnn, 100);
  EXPECT_EQ(kind_of(this->store().acquire_lease(kBatch, kBob, 500, at(129), 30s)),
            ErrorKind::conflict);
}

TYPED_TEST(MetaLeaseContract, ExpiredLeaseIsTakenOverWithANewEpoch) {
  const Lease old = this->acquire(kAnn, 100);
  const Lease taken = this->acquire(kBob, 130);
  EXPECT_GT(taken.epoch, old.epoch);
  EXPECT_EQ(taken.worker, kBob);
  EXPECT_EQ(kind_of(this->store().renew_lease(old, at(131), 30s)), ErrorKind::conflict);
  EXPECT_TRUE(this->store().renew_lease(taken, at(131), 30s));
}

TYPED_TEST(MetaLeaseContract, SameWorkerGetsANewEpochAtOnce) {
  const Lease first = this->acquire(kAnn, 100);
  const Lease second = this->acquire(kAnn, 101);
  EXPECT_GT(second.epoch, first.epoch);
  EXPECT_EQ(second.expires_at, at(131));
  EXPECT_EQ(kind_of(this->store().renew_lease(first, at(102), 30s)), ErrorKind::conflict);
}

TYPED_TEST(MetaLeaseContract, RenewedLeaseLastsLonger) {
  const Lease lease = this->acquire(kAnn, 100);
  const Lease renewed = this->store().renew_lease(lease, at(120), 30s).value();
  EXPECT_EQ(renewed.expires_at, at(150));
  EXPECT_EQ(renewed.epoch, lease.epoch);
  EXPECT_EQ(renewed.last, 500);
  EXPECT_EQ(kind_of(this->store().acquire_lease(kBatch, kBob, 500, at(149), 30s)),
            ErrorKind::conflict);
}

TYPED_TEST(MetaLeaseContract, ExpiredLeaseThatNobodyTookIsRenewed) {
  const Lease lease = this->acquire(kAnn, 100);
  EXPECT_EQ(this->store().renew_lease(lease, at(1000), 30s)->expires_at, at(1030));
}

TYPED_TEST(MetaLeaseContract, OnlyUnfinishedBatchesAreLeased) {
  auto& store = this->store();
  EXPECT_EQ(kind_of(store.acquire_lease(BatchId("nothing"), kAnn, 1, at(1), 30s)),
            ErrorKind::not_found);
  EXPECT_EQ(kind_of(store.renew_lease({.batch = BatchId("nothing")}, at(1), 30s)),
            ErrorKind::conflict);
  const Lease lease = this->acquire(kAnn, 100);
  ASSERT_TRUE(store.update_batch(with_status(batch_record("b"), BatchStatus::failed)));
  EXPECT_EQ(kind_of(store.acquire_lease(kBatch, kAnn, 1, at(101), 30s)), ErrorKind::conflict);
  EXPECT_EQ(kind_of(store.renew_lease(lease, at(101), 30s)), ErrorKind::conflict);
}

TYPED_TEST(MetaLeaseContract, BatchesAreLeasedApart) {
  ASSERT_TRUE(this->store().insert_batch(batch_record("c")));
  this->acquire(kAnn, 100);
  EXPECT_TRUE(this->store().acquire_lease(BatchId("c"), kBob, 1, at(101), 30s));
}

TYPED_TEST(MetaLeaseContract, UpdatesOfTheBatchLeaveTheLeaseAlone) {
  const Lease lease = this->acquire(kAnn, 100);
  ASSERT_TRUE(this->store().update_batch(with_status(batch_record("b"), BatchStatus::in_progress)));
  EXPECT_EQ(this->store().renew_lease(lease, at(101), 30s)->epoch, lease.epoch);
}

TYPED_TEST(MetaLeaseContract, FinishStoresBatchFilesAndDropsTheLease) {
  auto& store = this->store();
  const Lease lease = this->acquire(kAnn, 100);
  const std::vector<FileRecord> results = {result_file("out"), result_file("err")};
  BatchRecord done = completed_batch();
  const BatchRecord stored = store.finish_batch(done, results, lease).value();
  done.version = 1;
  EXPECT_EQ(stored, done);
  EXPECT_EQ(store.batch(kMine, kBatch).value(), done);
  EXPECT_EQ(store.file(kMine, FileId("out")).value(), results[0]);
  EXPECT_EQ(store.file(kMine, FileId("err")).value(), results[1]);
  EXPECT_EQ(kind_of(store.renew_lease(lease, at(101), 30s)), ErrorKind::conflict);
  EXPECT_TRUE(store.unfinished_batches().value().empty());
}

TYPED_TEST(MetaLeaseContract, FinishUnderAnExpiredLeaseThatNobodyTook) {
  const Lease lease = this->acquire(kAnn, 100);
  EXPECT_TRUE(this->store().finish_batch(completed_batch(), {{result_file("out")}}, lease));
}

TYPED_TEST(MetaLeaseContract, FinishUnderAnOldEpochChangesNothing) {
  auto& store = this->store();
  const Lease old = this->acquire(kAnn, 100);
  const Lease taken = this->acquire(kBob, 200);
  EXPECT_EQ(kind_of(store.finish_batch(completed_batch(), {{result_file("out")}}, old)),
            ErrorKind::conflict);
  EXPECT_EQ(kind_of(store.file(kMine, FileId("out"))), ErrorKind::not_found);
  EXPECT_EQ(store.batch(kMine, kBatch).value(), batch_record("b"));
  EXPECT_TRUE(store.finish_batch(completed_batch(), {{result_file("out")}}, taken));
}

TYPED_TEST(MetaLeaseContract, FinishOfAStaleVersionChangesNothing) {
  auto& store = this->store();
  const Lease lease = this->acquire(kAnn, 100);
  const auto cancelling =
      store.update_batch(with_status(batch_record("b"), BatchStatus::cancelling)).value();
  EXPECT_EQ(kind_of(store.finish_batch(completed_batch(), {{result_file("out")}}, lease)),
            ErrorKind::conflict);
  EXPECT_EQ(kind_of(store.file(kMine, FileId("out"))), ErrorKind::not_found);
  EXPECT_EQ(store.batch(kMine, kBatch).value(), cancelling);
  EXPECT_TRUE(store.renew_lease(lease, at(101), 30s));
}

TYPED_TEST(MetaLeaseContract, FinishWithATakenFileIdChangesNothing) {
  auto& store = this->store();
  const Lease lease = this->acquire(kAnn, 100);
  const std::vector<FileRecord> results = {result_file("out"), result_file("in")};
  EXPECT_EQ(kind_of(store.finish_batch(completed_batch(), results, lease)), ErrorKind::conflict);
  EXPECT_EQ(kind_of(store.file(kMine, FileId("out"))), ErrorKind::not_found);
  EXPECT_EQ(store.batch(kMine, kBatch).value(), batch_record("b"));
}

TYPED_TEST(MetaLeaseContract, FinishRefusesWhatIsNoEnd) {
  auto& store = this->store();
  const Lease lease = this->acquire(kAnn, 100);
  FileRecord foreign = result_file("out");
  foreign.project = kOther;
  EXPECT_EQ(kind_of(store.finish_batch(completed_batch(), {{foreign}}, lease)),
            ErrorKind::internal);
  EXPECT_EQ(kind_of(store.finish_batch(batch_record("b"), {}, lease)), ErrorKind::internal);
  BatchRecord stolen = completed_batch();
  stolen.project = kOther;
  stolen.output_file.reset();
  EXPECT_EQ(kind_of(store.finish_batch(stolen, {}, lease)), ErrorKind::not_found);
  EXPECT_EQ(store.batch(kMine, kBatch).value(), batch_record("b"));
}

TYPED_TEST(MetaLeaseContract, OneOfManyWorkersGetsTheLease) {
  std::atomic<int> winners = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      const WorkerId worker(std::to_string(t));
      if (this->store().acquire_lease(kBatch, worker, 1, at(100), 30s)) ++winners;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(winners, 1);
}

TYPED_TEST(MetaLeaseContract, EightThreadsLoseNoUpdate) {
  constexpr int kThreads = 8;
  constexpr int kUpdates = 25;
  auto& store = this->store();
  std::atomic<int> conflicts = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kUpdates;) {
        ASSERT_TRUE(store.check());
        BatchRecord next = store.batch(kMine, kBatch).value();
        ++next.counts.total;
        const auto stored = store.update_batch(next);
        if (stored) {
          ++i;
          EXPECT_TRUE(store.insert_file(file_record(fmt::format("f{}-{}", t, i))));
        } else {
          ASSERT_EQ(stored.error().kind, ErrorKind::conflict);
          ++conflicts;
        }
        ASSERT_FALSE(store.insert_file(file_record("in")));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const BatchRecord last = store.batch(kMine, kBatch).value();
  EXPECT_EQ(last.counts.total, kThreads * kUpdates);
  EXPECT_EQ(last.version, kThreads * kUpdates);
  EXPECT_EQ(store.files(kMine, {.limit = 1000})->data.size(), kThreads * kUpdates + 1);
}

}  // namespace
}  // namespace offpeak::meta_test
