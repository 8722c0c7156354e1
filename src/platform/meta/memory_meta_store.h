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
  struct PartRow {
    UploadPart record;
    bool dead = false;
  };
  struct RequestRow {
    ProjectId project;
    KeyedRequest known;
    std::string idempotency_key;
    UnixSeconds made_at;
  };
  struct EndpointRow {
    WebhookEndpoint record;
    bool deleted = false;
  };
  struct DeliveryRow {
    WebhookDelivery record;
    std::vector<DeliveryAttempt> log = {};
    bool dropped = false;
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

  UploadRecord* find_upload(const ProjectId& project, const UploadId& id);
  Result<UploadRecord*> pending_upload(const ProjectId& project, const UploadId& id);
  std::vector<PartRow*> live_parts(const UploadId& upload);
  void forget_upload_of(const FileId& file);

  RequestRow* find_keyed(const ProjectId& project, std::string_view idempotency_key);
  void add_mark(const ProjectId& project, const RequestMark& mark, const std::string& object,
                UnixSeconds made_at);

  EndpointRow* find_endpoint(const ProjectId& project, const WebhookEndpointId& id);
  DeliveryRow* find_delivery(const ProjectId& project, const WebhookDeliveryId& id);
  void queue_deliveries(const BatchRecord& batch);

  std::mutex mutex_;  // guards everything below; the private functions above expect it held
  std::optional<Error> write_error_;
  std::vector<Project> projects_;
  std::vector<ApiKey> keys_;
  std::vector<FileRow> files_;  // in the order of insertion, as batches_
  std::vector<BatchRow> batches_;
  std::vector<UploadRecord> uploads_;
  std::vector<PartRow> parts_;
  std::vector<RequestRow> requests_;
  std::vector<EndpointRow> endpoints_;
  std::vector<DeliveryRow> deliveries_;
  std::unordered_map<FileId, std::size_t> file_places_;
  std::unordered_map<BatchId, std::size_t> batch_places_;
};

}  // namespace offpeak
