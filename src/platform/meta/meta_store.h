// Records and leases: projects, keys, files, batches, and what the interfaces it is made of add. No
// row of a batch is ever a record here.
//
// Implementations: SqliteMetaStore, MemoryMetaStore; one contract suite (meta_contract_test.cc)
// holds for all. Every call that serves a user takes the caller's ProjectId and answers for another
// project's object exactly as for an unknown id: not_found. Calls block, are thread-safe, and a
// successful write survives power loss.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/id.h"
#include "core/records/batch.h"
#include "core/records/file.h"
#include "core/records/lease.h"
#include "core/records/tenant.h"
#include "platform/meta/listing.h"
#include "platform/meta/request_store.h"
#include "platform/meta/upload_store.h"
#include "platform/meta/webhook_store.h"

namespace offpeak {

class MetaStore : public UploadStore, public RequestStore, public WebhookStore {
 public:
  /// Conflict if the name is taken.
  virtual Status create_project(const Project& project, const ApiKey& first_key) = 0;
  virtual Result<std::vector<Project>> projects() = 0;
  /// The unrevoked key with this hash; nullopt if there is none.
  virtual Result<std::optional<ApiKey>> find_key(std::string_view sha256) = 0;

  virtual Status insert_file(const FileRecord& file, const RequestMark& mark = {}) = 0;
  virtual Result<FileRecord> file(const ProjectId& project, const FileId& id) = 0;
  virtual Result<Page<FileRecord>> files(const ProjectId& project, const ListQuery& query) = 0;
  /// Hides the file at once; its bytes stay until purgeable_files() gives it out.
  virtual Result<FileRecord> delete_file(const ProjectId& project, const FileId& id) = 0;
  /// Deletes files whose expires_at is not after `now`; says how many.
  virtual Result<std::size_t> delete_expired_files(UnixSeconds now) = 0;
  /// Deleted files that no unfinished batch reads: their blobs may go, then purge_file forgets
  /// their content (the record keeps its place in listings).
  virtual Result<std::vector<FileRecord>> purgeable_files(std::size_t limit) = 0;
  virtual Status purge_file(const FileId& id) = 0;

  /// The input file need not exist: intake finds out, and the batch fails (contract section 4.3).
  virtual Status insert_batch(const BatchRecord& batch, const RequestMark& mark = {}) = 0;
  virtual Result<BatchRecord> batch(const ProjectId& project, const BatchId& id) = 0;
  virtual Result<Page<BatchRecord>> batches(const ProjectId& project, const ListQuery& query) = 0;
  /// Stores `next` if the stored version is still next.version, raising it by one; conflict if not.
  virtual Result<BatchRecord> update_batch(const BatchRecord& next) = 0;
  /// Every project's batches that are not terminal, oldest first.
  virtual Result<std::vector<BatchRecord>> unfinished_batches() = 0;
  /// The input file of an unfinished batch, also when the user has deleted it meanwhile; not_found
  /// if the project never had it or its bytes are gone.
  virtual Result<FileRecord> batch_input(const BatchRecord& batch) = 0;

  /// Conflict while another worker holds an unexpired lease on the batch. A worker that asks again
  /// for its own batch gets a new epoch.
  virtual Result<Lease> acquire_lease(const BatchId& batch, const WorkerId& worker,
                                      std::uint32_t rows, UnixSeconds now,
                                      std::chrono::seconds ttl) = 0;
  /// Conflict if the lease has been lost to a newer epoch.
  virtual Result<Lease> renew_lease(const Lease& lease, UnixSeconds now,
                                    std::chrono::seconds ttl) = 0;
  /// The end of a batch in one transaction: checks the lease's epoch, inserts the result files,
  /// stores `next` (as update_batch does) and drops the lease.
  virtual Result<BatchRecord> finish_batch(const BatchRecord& next,
                                           std::span<const FileRecord> results,
                                           const Lease& lease) = 0;

  /// Whether the store answers and is intact enough to go on; for /readyz.
  virtual Status check() = 0;
};

}  // namespace offpeak
