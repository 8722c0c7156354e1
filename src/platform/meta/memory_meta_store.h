// Metadata in memory, for tests: the contract of MetaStore without a disk. Listings scan.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "platform/meta/meta_store.h"

namespace offpeak {

class MemoryMetaStore final : public MetaStore {
 public:
  Status create_project(const Project& project, const ApiKey& first_key) override;
  Result<std::vector<Project>> projects() override;
  Result<std::optional<ApiKey>> find_key(std::string_view sha256) override;

  Status insert_file(const FileRecord& file) override;
  Result<FileRecord> file(const ProjectId& project, const FileId& id) override;
  Result<Page<FileRecord>> files(const ProjectId& project, const ListQuery& query) override;
  Result<FileRecord> delete_file(const ProjectId& project, const FileId& id) override;
  Result<std::size_t> delete_expired_files(UnixSeconds now) override;
  Result<std::vector<FileRecord>> purgeable_files(std::size_t limit) override;
  Status purge_file(const FileId& id) override;

  Status insert_batch(const BatchRecord& batch) override;
  Result<BatchRecord> batch(const ProjectId& project, const BatchId& id) override;
  Result<Page<BatchRecord>> batches(const ProjectId& project, const ListQuery& query) override;
  Result<BatchRecord> update_batch(const BatchRecord& next) override;
  Result<std::vector<BatchRecord>> unfinished_batches() override;
  Result<FileRecord> batch_input(const BatchRecord& batch) override;

  Result<Lease> acquire_lease(const BatchId& batch, const WorkerId& worker, std::uint32_t rows,
                              UnixSeconds now, std::chrono::seconds ttl) override;
  Result<Lease> renew_lease(const Lease& lease, UnixSeconds now, std::chrono::seconds ttl) override;
  Result<BatchRecord> finish_batch(const BatchRecord& next, std::span<const FileRecord> results,
                                   const Lease& lease) override;
  Status check() override;

  /// While set, every write answers with this error and changes nothing: a full or a failing disk.
  void fail_writes(std::optional<Error> error);

 private:
  enum class FileState { live, deleted, purged };
  struct FileRow {
    FileRecord record;
    FileState state = FileState::live;
  };
  struct BatchRow {
    BatchRecord record;
    std::uint64_t epoch = 0;
    std::optional<Lease> lease;
  };

  Status check_writable() const;
  Status check_new_file(const FileRecord& file) const;
  Status check_update(const BatchRecord& next) const;
  Status check_result_files(const BatchRecord& batch, std::span<const FileRecord> added) const;
  FileRow* find_file(const ProjectId& project, const FileId& id, FileState worst);
  const BatchRow* find_batch(const ProjectId& project, const BatchId& id) const;
  void add_file(const FileRecord& file);
  BatchRecord store_update(const BatchRecord& next);
  bool has_reader(const FileId& input) const;

  std::mutex mutex_;  // guards everything below; the private functions above expect it held
  std::optional<Error> write_error_;
  std::vector<Project> projects_;
  std::vector<ApiKey> keys_;
  std::vector<FileRow> files_;  // in the order of insertion, as batches_
  std::vector<BatchRow> batches_;
  std::unordered_map<FileId, std::size_t> file_places_;
  std::unordered_map<BatchId, std::size_t> batch_places_;
};

}  // namespace offpeak
