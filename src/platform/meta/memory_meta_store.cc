#include "platform/meta/memory_meta_store.h"

#include <algorithm>
#include <utility>

#include "core/records/batch_status.h"
#include "platform/meta/memory_rows.h"
#include "platform/meta/meta_errors.h"

namespace offpeak {
Status MemoryMetaStore::create_project(const Project& project, const ApiKey& first_key) {
  const std::scoped_lock lock(mutex_);
  if (auto writable = check_writable(); !writable) return writable;
  if (contains(projects_, project.name, &Project::name)) {
    return name_taken(project.name);
  }
  if (contains(projects_, project.id, &Project::id)) {
    return id_taken(project.id.text());
  }
  if (contains(keys_, first_key.id, &ApiKey::id) ||
      contains(keys_, first_key.sha256, &ApiKey::sha256)) {
    return id_taken(first_key.id.text());
  }
  if (first_key.project != project.id && !contains(projects_, first_key.project, &Project::id)) {
    return no_project(first_key.project);
  }
  projects_.push_back(project);
  keys_.push_back(first_key);
  return {};
}

Result<std::vector<Project>> MemoryMetaStore::projects() {
  const std::scoped_lock lock(mutex_);
  return projects_;
}

Result<std::optional<ApiKey>> MemoryMetaStore::find_key(std::string_view sha256) {
  const std::scoped_lock lock(mutex_);
  const auto key = std::ranges::find(keys_, sha256, &ApiKey::sha256);
  if (key == keys_.end() || key->revoked_at) return std::nullopt;
  return *key;
}

Status MemoryMetaStore::insert_file(const FileRecord& file, const RequestMark& mark) {
  const std::scoped_lock lock(mutex_);
  if (auto writable = check_writable(); !writable) return writable;
  if (auto checked = check_new_file(file); !checked) return checked;
  add_file(file);
  add_mark(file.project, mark, file.id.text(), file.created_at);
  return {};
}

Result<FileRecord> MemoryMetaStore::file(const ProjectId& project, const FileId& id) {
  const std::scoped_lock lock(mutex_);
  const FileRow* const row = find_file(project, id, FileState::live);
  if (row == nullptr) return no_file(id);
  return row->record;
}

Result<Page<FileRecord>> MemoryMetaStore::files(const ProjectId& project, const ListQuery& query) {
  const std::scoped_lock lock(mutex_);
  std::optional<std::size_t> after;
  if (!query.after.empty()) {
    const FileRow* const last = find_file(project, FileId(query.after), FileState::purged);
    if (last == nullptr) return Page<FileRecord>{};
    after = static_cast<std::size_t>(last - files_.data());
  }
  return page_of<FileRecord>(files_, after, query, [&](const FileRow& row) {
    return row.record.project == project && row.state == FileState::live &&
           (query.purpose.empty() || row.record.purpose == query.purpose);
  });
}

Result<FileRecord> MemoryMetaStore::delete_file(const ProjectId& project, const FileId& id) {
  const std::scoped_lock lock(mutex_);
  if (auto writable = check_writable(); !writable) return std::unexpected(writable.error());
  FileRow* const row = find_file(project, id, FileState::live);
  if (row == nullptr) return no_file(id);
  row->state = FileState::deleted;
  return row->record;
}

Result<std::size_t> MemoryMetaStore::delete_expired_files(UnixSeconds now) {
  const std::scoped_lock lock(mutex_);
  if (auto writable = check_writable(); !writable) return std::unexpected(writable.error());
  std::size_t count = 0;
  for (FileRow& row : files_) {
    const auto& expires_at = row.record.expires_at;
    if (row.state != FileState::live || !expires_at || *expires_at > now) continue;
    row.state = FileState::deleted;
    ++count;
  }
  return count;
}

Result<std::vector<FileRecord>> MemoryMetaStore::purgeable_files(std::size_t limit) {
  const std::scoped_lock lock(mutex_);
  std::vector<FileRecord> found;
  for (const FileRow& row : files_) {
    if (found.size() == limit) break;
    if (row.state == FileState::deleted && !has_reader(row.record.id)) found.push_back(row.record);
  }
  return found;
}

Status MemoryMetaStore::purge_file(const FileId& id) {
  const std::scoped_lock lock(mutex_);
  if (auto writable = check_writable(); !writable) return writable;
  const auto place = file_places_.find(id);
  if (place == file_places_.end()) return no_file(id);
  FileRow& row = files_[place->second];
  if (row.state == FileState::live || has_reader(id)) return file_in_use(id);
  row.state = FileState::purged;
  row.record.content.clear();
  row.record.filename.clear();
  forget_upload_of(id);
  return {};
}

Status MemoryMetaStore::insert_batch(const BatchRecord& batch, const RequestMark& mark) {
  const std::scoped_lock lock(mutex_);
  if (auto writable = check_writable(); !writable) return writable;
  if (auto checked = check_result_files(batch, {}); !checked) return checked;
  if (!batch_places_.emplace(batch.id, batches_.size()).second) return id_taken(batch.id.text());
  batches_.push_back({.record = batch});
  add_mark(batch.project, mark, batch.id.text(), batch.created_at);
  return {};
}

Result<BatchRecord> MemoryMetaStore::batch(const ProjectId& project, const BatchId& id) {
  const std::scoped_lock lock(mutex_);
  const BatchRow* const row = find_batch(project, id);
  if (row == nullptr) return no_batch(id);
  return row->record;
}

Result<Page<BatchRecord>> MemoryMetaStore::batches(const ProjectId& project,
                                                   const ListQuery& query) {
  const std::scoped_lock lock(mutex_);
  std::optional<std::size_t> after;
  if (!query.after.empty()) {
    const BatchRow* const last = find_batch(project, BatchId(query.after));
    if (last == nullptr) return Page<BatchRecord>{};
    after = static_cast<std::size_t>(last - batches_.data());
  }
  return page_of<BatchRecord>(batches_, after, query,
                              [&](const BatchRow& row) { return row.record.project == project; });
}

Result<BatchRecord> MemoryMetaStore::update_batch(const BatchRecord& next) {
  const std::scoped_lock lock(mutex_);
  if (auto writable = check_writable(); !writable) return std::unexpected(writable.error());
  if (auto checked = check_update(next); !checked) return std::unexpected(checked.error());
  if (auto checked = check_result_files(next, {}); !checked) {
    return std::unexpected(checked.error());
  }
  return store_update(next);
}

Result<std::vector<BatchRecord>> MemoryMetaStore::unfinished_batches() {
  const std::scoped_lock lock(mutex_);
  std::vector<BatchRecord> found;
  for (const BatchRow& row : batches_) {
    if (!is_terminal(row.record.status)) found.push_back(row.record);
  }
  return found;
}

Result<FileRecord> MemoryMetaStore::batch_input(const BatchRecord& batch) {
  const std::scoped_lock lock(mutex_);
  const FileRow* const row = find_file(batch.project, batch.input_file, FileState::deleted);
  if (row == nullptr) return no_file(batch.input_file);
  return row->record;
}

Result<Lease> MemoryMetaStore::acquire_lease(const BatchId& batch, const WorkerId& worker,
                                             std::uint32_t rows, UnixSeconds now,
                                             std::chrono::seconds ttl) {
  const std::scoped_lock lock(mutex_);
  if (auto writable = check_writable(); !writable) return std::unexpected(writable.error());
  const auto place = batch_places_.find(batch);
  if (place == batch_places_.end()) return no_batch(batch);
  BatchRow& row = batches_[place->second];
  if (row.lease && row.lease->worker != worker && row.lease->expires_at > now) {
    return lease_held(batch, row.lease->worker);
  }
  if (is_terminal(row.record.status)) return batch_finished(batch);
  row.lease = Lease{.batch = batch,
                    .worker = worker,
                    .epoch = ++row.epoch,
                    .last = rows,
                    .expires_at = now + ttl};
  return *row.lease;
}

Result<Lease> MemoryMetaStore::renew_lease(const Lease& lease, UnixSeconds now,
                                           std::chrono::seconds ttl) {
  const std::scoped_lock lock(mutex_);
  if (auto writable = check_writable(); !writable) return std::unexpected(writable.error());
  const auto place = batch_places_.find(lease.batch);
  if (place == batch_places_.end()) return lease_lost(lease.batch, lease.epoch);
  std::optional<Lease>& held = batches_[place->second].lease;
  if (!held || held->epoch != lease.epoch) return lease_lost(lease.batch, lease.epoch);
  held->expires_at = now + ttl;
  return *held;
}

Result<BatchRecord> MemoryMetaStore::finish_batch(const BatchRecord& next,
                                                  std::span<const FileRecord> results,
                                                  const Lease& lease) {
  const auto foreign = [&](const FileRecord& file) { return file.project != next.project; };
  if (!is_terminal(next.status) || std::ranges::any_of(results, foreign)) {
    return wrong_results(next.id);
  }
  const std::scoped_lock lock(mutex_);
  if (auto writable = check_writable(); !writable) return std::unexpected(writable.error());
  const auto place = batch_places_.find(next.id);
  if (place == batch_places_.end()) return lease_lost(next.id, lease.epoch);
  const std::optional<Lease>& held = batches_[place->second].lease;
  if (!held || held->epoch != lease.epoch) return lease_lost(next.id, lease.epoch);
  for (const FileRecord& file : results) {
    if (auto checked = check_new_file(file); !checked) return std::unexpected(checked.error());
  }
  if (auto checked = check_update(next); !checked) return std::unexpected(checked.error());
  if (auto checked = check_result_files(next, results); !checked) {
    return std::unexpected(checked.error());
  }
  for (const FileRecord& file : results) add_file(file);
  return store_update(next);
}

Status MemoryMetaStore::check() {
  const std::scoped_lock lock(mutex_);
  // A full disk passes, as it does for the real store.
  if (write_error_ && write_error_->kind == ErrorKind::internal) return check_writable();
  return {};
}

void MemoryMetaStore::fail_writes(std::optional<Error> error) {
  const std::scoped_lock lock(mutex_);
  write_error_ = std::move(error);
}

Status MemoryMetaStore::check_writable() const {
  if (write_error_) return std::unexpected(*write_error_);
  return {};
}

Status MemoryMetaStore::check_new_file(const FileRecord& file) const {
  if (file_places_.contains(file.id)) return id_taken(file.id.text());
  if (!contains(projects_, file.project, &Project::id)) return no_project(file.project);
  return {};
}

Status MemoryMetaStore::check_update(const BatchRecord& next) const {
  const BatchRow* const row = find_batch(next.project, next.id);
  if (row == nullptr) return no_batch(next.id);
  if (is_terminal(row->record.status)) return batch_finished(next.id);
  if (row->record.version != next.version) return batch_changed(next.id);
  return {};
}

/// What foreign keys do in a database.
Status MemoryMetaStore::check_result_files(const BatchRecord& batch,
                                           std::span<const FileRecord> added) const {
  for (const auto& id : {batch.output_file, batch.error_file}) {
    if (id && !file_places_.contains(*id) && !contains(added, *id, &FileRecord::id)) {
      return no_file(*id);
    }
  }
  return {};
}

MemoryMetaStore::FileRow* MemoryMetaStore::find_file(const ProjectId& project, const FileId& id,
                                                     FileState worst) {
  const auto place = file_places_.find(id);
  if (place == file_places_.end()) return nullptr;
  FileRow& row = files_[place->second];
  return row.record.project == project && row.state <= worst ? &row : nullptr;
}

const MemoryMetaStore::BatchRow* MemoryMetaStore::find_batch(const ProjectId& project,
                                                             const BatchId& id) const {
  const auto place = batch_places_.find(id);
  if (place == batch_places_.end()) return nullptr;
  const BatchRow& row = batches_[place->second];
  return row.record.project == project ? &row : nullptr;
}

void MemoryMetaStore::add_file(const FileRecord& file) {
  file_places_.emplace(file.id, files_.size());
  files_.push_back({.record = file});
}

BatchRecord MemoryMetaStore::store_update(const BatchRecord& next) {
  BatchRow& row = batches_[batch_places_.at(next.id)];
  row.record = next;
  ++row.record.version;
  if (is_terminal(next.status)) {
    row.lease.reset();
    queue_deliveries(row.record);
  }
  return row.record;
}

bool MemoryMetaStore::has_reader(const FileId& input) const {
  return std::ranges::any_of(batches_, [&](const BatchRow& row) {
    return row.record.input_file == input && !is_terminal(row.record.status);
  });
}

}  // namespace offpeak
