// Metadata in one SQLite file (docs/formats.md), mode 0600, WAL, synchronous=FULL.
//
// Exactly one connection writes and checkpoints; reads go to a few read-only ones. A second process
// is refused: SQLite before 3.51.3 can damage a WAL that two connections write.
// Once the disk fails in a commit (Error::message names fsync) every later write and check() fails
// with the same error: the caller stops the process.
#pragma once

#include <array>
#include <atomic>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>

#include "platform/meta/group_commit.h"
#include "platform/meta/meta_store.h"
#include "platform/meta/sqlite.h"

namespace offpeak {

class SqliteMetaStore final : public MetaStore {
 public:
  /// Opens or makes the database and brings its schema up to date. conflict: another process has it
  /// open, or a newer version of offpeak wrote it. `vfs` is for tests.
  static Result<std::unique_ptr<SqliteMetaStore>> open(const std::filesystem::path& file,
                                                       const std::string& vfs = {});
  ~SqliteMetaStore() override;

  Status create_project(const Project& project, const ApiKey& first_key) override;
  Result<std::vector<Project>> projects() override;
  Result<std::optional<ApiKey>> find_key(std::string_view sha256) override;

  Status insert_file(const FileRecord& file, const RequestMark& mark = {}) override;
  Result<FileRecord> file(const ProjectId& project, const FileId& id) override;
  Result<Page<FileRecord>> files(const ProjectId& project, const ListQuery& query) override;
  Result<FileRecord> delete_file(const ProjectId& project, const FileId& id) override;
  Result<std::size_t> delete_expired_files(UnixSeconds now) override;
  Result<std::vector<FileRecord>> purgeable_files(std::size_t limit) override;
  Status purge_file(const FileId& id) override;

  Status insert_batch(const BatchRecord& batch, const RequestMark& mark = {}) override;
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
  Status insert_upload(const UploadRecord& upload, const RequestMark& mark) override;
  Result<UploadRecord> upload(const ProjectId& project, const UploadId& id) override;
  Status insert_part(const ProjectId& project, const UploadPart& part,
                     const RequestMark& mark) override;
  Result<UploadPart> part(const ProjectId& project, const PartId& id) override;
  Result<std::vector<UploadPart>> parts(const ProjectId& project, const UploadId& upload) override;
  Result<UploadRecord> complete_upload(const ProjectId& project, const UploadId& id,
                                       const FileRecord& file) override;
  Result<UploadRecord> cancel_upload(const ProjectId& project, const UploadId& id) override;
  Result<std::size_t> expire_uploads(UnixSeconds now) override;
  Result<std::vector<UploadPart>> dead_parts(std::size_t limit) override;
  Status forget_part(const PartId& id) override;

  Result<std::optional<std::string>> made_by(const ProjectId& project, std::string_view fingerprint,
                                             UnixSeconds since) override;
  Result<std::optional<KeyedRequest>> keyed_request(const ProjectId& project,
                                                    std::string_view idempotency_key,
                                                    UnixSeconds since) override;
  Status keep_reply(const ProjectId& project, const RequestMark& mark, const StoredReply& reply,
                    UnixSeconds now) override;
  Status forget_requests(UnixSeconds keyed, UnixSeconds unkeyed) override;

  Status insert_endpoint(const WebhookEndpoint& endpoint, const RequestMark& mark) override;
  Result<WebhookEndpoint> endpoint(const ProjectId& project, const WebhookEndpointId& id) override;
  Result<Page<WebhookEndpoint>> endpoints(const ProjectId& project,
                                          const ListQuery& query) override;
  Status update_endpoint(const WebhookEndpoint& endpoint) override;
  Status delete_endpoint(const ProjectId& project, const WebhookEndpointId& id) override;
  Result<std::vector<WebhookDelivery>> due_deliveries(UnixSeconds now, std::size_t limit,
                                                      std::size_t per_endpoint) override;
  Result<std::optional<UnixSeconds>> next_delivery_at() override;
  Status record_attempt(const WebhookDelivery& next, const DeliveryAttempt& attempt) override;
  Result<Page<WebhookDelivery>> deliveries(const ProjectId& project,
                                           const WebhookEndpointId& endpoint,
                                           const ListQuery& query) override;
  Result<WebhookDelivery> delivery(const ProjectId& project, const WebhookDeliveryId& id) override;
  Result<std::vector<DeliveryAttempt>> attempts(const ProjectId& project,
                                                const WebhookDeliveryId& id) override;
  Result<WebhookDelivery> replay_delivery(const ProjectId& project, const WebhookDeliveryId& id,
                                          UnixSeconds now) override;
  Status forget_deliveries(UnixSeconds before) override;

  Status check() override;

 private:
  static constexpr std::size_t kReaders = 4;

  class FileLock {
   public:
    explicit FileLock(int fd) : fd_(fd) {}
    FileLock(const FileLock&) = delete;
    FileLock& operator=(const FileLock&) = delete;
    ~FileLock();

   private:
    int fd_;
  };

  struct Reader {
    std::mutex mutex;
    std::unique_ptr<sqlite::Connection> connection;
  };

  /// A reader connection, the caller's own until the lease ends.
  struct BorrowedReader {
    std::unique_lock<std::mutex> lock;
    sqlite::Connection& connection;
  };

  static Result<std::unique_ptr<FileLock>> lock_file(const std::filesystem::path& file);

  SqliteMetaStore(std::unique_ptr<FileLock> lock, std::unique_ptr<sqlite::Connection> writer);
  BorrowedReader borrow_reader();

  // In the order of destruction, last to first: readers, writer, lock.
  std::unique_ptr<FileLock> lock_;
  std::unique_ptr<sqlite::Connection> writer_;
  GroupCommit commits_{*writer_};
  std::array<Reader, kReaders> readers_;
  std::atomic<std::size_t> next_reader_ = 0;
};

}  // namespace offpeak
