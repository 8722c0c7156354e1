// MemoryMetaStore: uploads in parts.
#include <algorithm>

#include "platform/meta/memory_meta_store.h"
#include "platform/meta/memory_rows.h"
#include "platform/meta/meta_errors.h"

namespace offpeak {

UploadRecord* MemoryMetaStore::find_upload(const ProjectId& project, const UploadId& id) {
  const auto upload = std::ranges::find(uploads_, id, &UploadRecord::id);
  return upload == uploads_.end() || upload->project != project ? nullptr : &*upload;
}

Result<UploadRecord*> MemoryMetaStore::pending_upload(const ProjectId& project,
                                                      const UploadId& id) {
  UploadRecord* const upload = find_upload(project, id);
  if (upload == nullptr) return no_upload(id);
  if (upload->status != UploadStatus::pending) return upload_closed(id, upload->status);
  return upload;
}

std::vector<MemoryMetaStore::PartRow*> MemoryMetaStore::live_parts(const UploadId& upload) {
  std::vector<PartRow*> found;
  for (PartRow& row : parts_) {
    if (row.record.upload == upload && !row.dead) found.push_back(&row);
  }
  return found;
}

void MemoryMetaStore::forget_upload_of(const FileId& file) {
  const auto upload = std::ranges::find(uploads_, file, &UploadRecord::file);
  if (upload == uploads_.end()) return;
  upload->filename.clear();
  std::erase_if(parts_,
                [&](const PartRow& row) { return row.record.upload == upload->id && !row.dead; });
}

Status MemoryMetaStore::insert_upload(const UploadRecord& upload, const RequestMark& mark) {
  const std::scoped_lock lock(mutex_);
  if (auto writable = check_writable(); !writable) return writable;
  if (contains(uploads_, upload.id, &UploadRecord::id)) return id_taken(upload.id.text());
  if (!contains(projects_, upload.project, &Project::id)) return no_project(upload.project);
  uploads_.push_back(upload);
  add_mark(upload.project, mark, upload.id.text(), upload.created_at);
  return {};
}

Result<UploadRecord> MemoryMetaStore::upload(const ProjectId& project, const UploadId& id) {
  const std::scoped_lock lock(mutex_);
  const UploadRecord* const upload = find_upload(project, id);
  if (upload == nullptr) return no_upload(id);
  return *upload;
}

Status MemoryMetaStore::insert_part(const ProjectId& project, const UploadPart& part,
                                    const RequestMark& mark) {
  const std::scoped_lock lock(mutex_);
  if (auto writable = check_writable(); !writable) return writable;
  if (auto upload = pending_upload(project, part.upload); !upload) {
    return std::unexpected(upload.error());
  }
  if (live_parts(part.upload).size() >= kUploadPartsMax) return too_many_parts(part.upload);
  const auto is_taken = [&](const PartRow& row) { return row.record.id == part.id; };
  if (std::ranges::any_of(parts_, is_taken)) return id_taken(part.id.text());
  parts_.push_back({.record = part});
  add_mark(project, mark, part.id.text(), part.created_at);
  return {};
}

Result<UploadPart> MemoryMetaStore::part(const ProjectId& project, const PartId& id) {
  const std::scoped_lock lock(mutex_);
  for (const PartRow& row : parts_) {
    if (row.record.id != id || row.dead) continue;
    if (find_upload(project, row.record.upload) != nullptr) return row.record;
  }
  return no_part(id);
}

Result<std::vector<UploadPart>> MemoryMetaStore::parts(const ProjectId& project,
                                                       const UploadId& upload) {
  const std::scoped_lock lock(mutex_);
  if (find_upload(project, upload) == nullptr) return no_upload(upload);
  std::vector<UploadPart> found;
  for (const PartRow* const row : live_parts(upload)) found.push_back(row->record);
  return found;
}

Result<UploadRecord> MemoryMetaStore::complete_upload(const ProjectId& project, const UploadId& id,
                                                      const FileRecord& file) {
  const std::scoped_lock lock(mutex_);
  if (auto writable = check_writable(); !writable) return std::unexpected(writable.error());
  auto upload = pending_upload(project, id);
  if (!upload) return std::unexpected(upload.error());
  if (auto checked = check_new_file(file); !checked) return std::unexpected(checked.error());
  add_file(file);
  (*upload)->status = UploadStatus::completed;
  (*upload)->file = file.id;
  for (PartRow* const row : live_parts(id)) {
    row->dead = !contains(file.content, row->record.blob, &Extent::blob);
  }
  return **upload;
}

Result<UploadRecord> MemoryMetaStore::cancel_upload(const ProjectId& project, const UploadId& id) {
  const std::scoped_lock lock(mutex_);
  if (auto writable = check_writable(); !writable) return std::unexpected(writable.error());
  auto upload = pending_upload(project, id);
  if (!upload) return std::unexpected(upload.error());
  (*upload)->status = UploadStatus::cancelled;
  for (PartRow* const row : live_parts(id)) row->dead = true;
  return **upload;
}

Result<std::size_t> MemoryMetaStore::expire_uploads(UnixSeconds now) {
  const std::scoped_lock lock(mutex_);
  if (auto writable = check_writable(); !writable) return std::unexpected(writable.error());
  std::size_t count = 0;
  for (UploadRecord& upload : uploads_) {
    if (upload.status != UploadStatus::pending || upload.expires_at > now) continue;
    upload.status = UploadStatus::expired;
    for (PartRow* const row : live_parts(upload.id)) row->dead = true;
    ++count;
  }
  return count;
}

Result<std::vector<UploadPart>> MemoryMetaStore::dead_parts(std::size_t limit) {
  const std::scoped_lock lock(mutex_);
  std::vector<UploadPart> found;
  for (const PartRow& row : parts_) {
    if (found.size() == limit) break;
    if (row.dead) found.push_back(row.record);
  }
  return found;
}

Status MemoryMetaStore::forget_part(const PartId& id) {
  const std::scoped_lock lock(mutex_);
  if (auto writable = check_writable(); !writable) return writable;
  const auto row =
      std::ranges::find_if(parts_, [&](const PartRow& part) { return part.record.id == id; });
  if (row == parts_.end()) return no_part(id);
  if (!row->dead) return part_in_use(id);
  parts_.erase(row);
  return {};
}

}  // namespace offpeak
