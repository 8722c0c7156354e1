// What the contract tests of MetaStore share: fixtures for every implementation, and records.
#pragma once

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "platform/meta/memory_meta_store.h"
#include "platform/meta/meta_store.h"
#include "platform/meta/sqlite_meta_store.h"

namespace offpeak::meta_test {

using std::chrono_literals::operator""s;
using std::chrono_literals::operator""h;
using std::chrono_literals::operator""min;
using std::chrono_literals::operator""ms;

inline UnixSeconds at(std::int64_t seconds) {
  return UnixSeconds(std::chrono::seconds(seconds));
}

/// A new directory, removed with the object.
class ScratchDirectory {
 public:
  ScratchDirectory() {
    std::string pattern = testing::TempDir() + "metaXXXXXX";
    path_ = ::mkdtemp(pattern.data());
  }
  ScratchDirectory(const ScratchDirectory&) = delete;
  ~ScratchDirectory() { std::filesystem::remove_all(path_); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

class MemoryFixture {
 public:
  MetaStore& store() { return store_; }

 private:
  MemoryMetaStore store_;
};

class SqliteFixture {
 public:
  MetaStore& store() { return *store_; }

 private:
  ScratchDirectory directory_;
  std::unique_ptr<SqliteMetaStore> store_ =
      SqliteMetaStore::open(directory_.path() / "meta.db").value();
};

using Stores = testing::Types<MemoryFixture, SqliteFixture>;

inline const ProjectId kMine("proj_mine");
inline const ProjectId kOther("proj_other");

inline ApiKey key_of(const ProjectId& project) {
  return {.id = KeyId("key_" + project.text()),
          .project = project,
          .sha256 = "sha_" + project.text(),
          .redacted = "opk_ab…9Z",
          .created_at = at(1)};
}

inline FileRecord file_record(std::string id, const ProjectId& project = kMine) {
  return {.id = FileId(id),
          .project = project,
          .bytes = 7,
          .created_at = at(100),
          .filename = "in.jsonl",
          .purpose = "batch",
          .content = {{BlobKey("files/" + id), 7}}};
}

inline BatchRecord batch_record(std::string id, const ProjectId& project = kMine,
                                std::string input = "in") {
  return {.id = BatchId(std::move(id)),
          .project = project,
          .input_file = FileId(project == kMine ? std::move(input) : "theirs"),
          .endpoint = "/v1/chat/completions",
          .completion_window = "24h",
          .created_at = at(100),
          .expires_at = at(86500)};
}

inline BatchRecord with_status(BatchRecord batch, BatchStatus status) {
  batch.status = status;
  return batch;
}

template <class Record>
std::vector<std::string> ids(const std::vector<Record>& records) {
  std::vector<std::string> found;
  for (const Record& record : records) found.push_back(record.id.text());
  return found;
}

template <class T>
ErrorKind kind_of(const Result<T>& result) {
  EXPECT_FALSE(result.has_value());
  return result.has_value() ? ErrorKind::unavailable : result.error().kind;
}

template <class T>
std::string message_of(const Result<T>& result) {
  return result.has_value() ? "no error" : result.error().message;
}

/// A store with the projects kMine, with file "in", and kOther, with file "theirs".
template <class Fixture>
class MetaContract : public testing::Test {
 protected:
  MetaContract() {
    EXPECT_TRUE(store().create_project({kMine, "mine", at(1)}, key_of(kMine)));
    EXPECT_TRUE(store().create_project({kOther, "other", at(2)}, key_of(kOther)));
    EXPECT_TRUE(store().insert_file(file_record("in")));
    EXPECT_TRUE(store().insert_file(file_record("theirs", kOther)));
  }

  MetaStore& store() { return fixture_.store(); }

  std::vector<std::string> file_page(const ListQuery& query, bool has_more) {
    const auto page = store().files(kMine, query).value();
    EXPECT_EQ(page.has_more, has_more);
    return ids(page.data);
  }

  std::vector<std::string> batch_page(const ListQuery& query, bool has_more) {
    const auto page = store().batches(kMine, query).value();
    EXPECT_EQ(page.has_more, has_more);
    return ids(page.data);
  }

 private:
  Fixture fixture_;
};

using Names = std::vector<std::string>;

}  // namespace offpeak::meta_test
