// Many writers, one transaction: sharing, failing alone, failing together.
#include "platform/meta/group_commit.h"

#include <stdexcept>
#include <thread>

#include "platform/meta/faulty_vfs.h"
#include "platform/meta/meta_contract.h"

namespace offpeak::meta_test {
namespace {

constexpr int kFollowers = 7;

class GroupCommitTest : public testing::Test {
 protected:
  GroupCommitTest() {
    FaultyVfs::instance();
    const std::filesystem::path file = directory_.path() / "db";
    std::fclose(std::fopen(file.c_str(), "w"));
    writer_ = sqlite::Connection::open(file, sqlite::Connection::Mode::read_write, FaultyVfs::kName)
                  .value();
    EXPECT_TRUE(
        writer_->exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                      "CREATE TABLE t (x INTEGER PRIMARY KEY)"));
    commits_ = std::make_unique<GroupCommit>(*writer_);
  }
  ~GroupCommitTest() override { FaultyVfs::instance().full = false; }

  static Status insert(sqlite::Connection& writer, int x) {
    auto query = writer.query("INSERT INTO t VALUES (?1)");
    const auto inserted = query.bind(x).run();
    if (!inserted) return std::unexpected(inserted.error());
    return {};
  }

  /// Holds the lead until every follower has queued, so that they all share the next transaction.
  template <class Follower>
  std::vector<Status> run_together(Follower follower) {
    std::vector<Status> results(kFollowers);
    std::vector<std::thread> threads;
    const auto lead = [&](sqlite::Connection& writer) {
      for (int i = 0; i < kFollowers; ++i) {
        threads.emplace_back([&, i] {
          results[static_cast<std::size_t>(i)] = commits_->run(
              [&, i](sqlite::Connection& connection) { return follower(connection, i); });
        });
      }
      while (commits_->waiting() < kFollowers) std::this_thread::yield();
      return insert(writer, 1000);
    };
    EXPECT_TRUE(commits_->run(lead));
    for (std::thread& thread : threads) thread.join();
    return results;
  }

  std::vector<int> rows() {
    auto query = writer_->query("SELECT x FROM t ORDER BY x");
    std::vector<int> found;
    while (query.row().value()) query.read(found.emplace_back());
    return found;
  }

  ScratchDirectory directory_;
  std::unique_ptr<sqlite::Connection> writer_;
  std::unique_ptr<GroupCommit> commits_;
};

TEST_F(GroupCommitTest, WritersShareOneSync) {
  const int before = FaultyVfs::instance().syncs;
  for (const Status& result : run_together(insert)) EXPECT_TRUE(result);
  EXPECT_EQ(rows(), (std::vector{0, 1, 2, 3, 4, 5, 6, 1000}));
  EXPECT_LE(FaultyVfs::instance().syncs - before, 2);  // the leader's, the followers'
}

TEST_F(GroupCommitTest, FailingMutationIsUndoneAlone) {
  const auto results = run_together([](sqlite::Connection& writer, int i) -> Status {
    auto inserted = insert(writer, i);
    if (i == 2) return fail(ErrorKind::conflict, "no");
    if (i == 4) throw std::runtime_error("a bug");
    if (i == 5) return insert(writer, 5);
    return inserted;
  });
  EXPECT_EQ(rows(), (std::vector{0, 1, 3, 6, 1000}));
  EXPECT_EQ(results[2].error().message, "no");
  EXPECT_EQ(results[4].error().kind, ErrorKind::internal);
  EXPECT_EQ(results[5].error().kind, ErrorKind::conflict);
  for (const int i : {0, 1, 3, 6}) EXPECT_TRUE(results[static_cast<std::size_t>(i)]);
}

TEST_F(GroupCommitTest, FailingMutationByItselfLeavesNoTransaction) {
  const auto failing = [](sqlite::Connection& writer) -> Status {
    static_cast<void>(insert(writer, 1));
    return fail(ErrorKind::conflict, "no");
  };
  EXPECT_EQ(kind_of(commits_->run(failing)), ErrorKind::conflict);
  EXPECT_FALSE(writer_->in_transaction());
  EXPECT_TRUE(rows().empty());
}

TEST_F(GroupCommitTest, FailedCommitFailsEveryone) {
  const auto results = run_together([](sqlite::Connection& writer, int i) {
    FaultyVfs::instance().full = true;
    return insert(writer, i);
  });
  for (const Status& result : results) EXPECT_EQ(kind_of(result), ErrorKind::storage_full);
  EXPECT_EQ(rows(), std::vector{1000});
  FaultyVfs::instance().full = false;
  EXPECT_TRUE(commits_->run([](sqlite::Connection& writer) { return insert(writer, 1); }));
  EXPECT_EQ(rows(), (std::vector{1, 1000}));
}

}  // namespace
}  // namespace offpeak::meta_test
