// The answers that both metadata stores must give in the same words.
#pragma once

#include <fmt/format.h>

#include "base/error.h"
#include "base/id.h"
#include "core/records/upload.h"

namespace offpeak {

inline std::unexpected<Error> no_project(const ProjectId& id) {
  return fail(ErrorKind::not_found, fmt::format("No such project: {}", id));
}

inline std::unexpected<Error> no_file(const FileId& id) {
  return fail(ErrorKind::not_found, fmt::format("No such File object: {}", id), {}, "id");
}

inline std::unexpected<Error> no_batch(const BatchId& id) {
  return fail(ErrorKind::not_found, fmt::format("No batch found with id '{}'.", id));
}

inline std::unexpected<Error> no_upload(const UploadId& id) {
  return fail(ErrorKind::not_found, fmt::format("No such Upload object: {}", id), {}, "upload_id");
}

inline std::unexpected<Error> no_part(const PartId& id) {
  return fail(ErrorKind::not_found, fmt::format("No such Part object: {}", id));
}

inline std::unexpected<Error> no_endpoint(const WebhookEndpointId& id) {
  return fail(ErrorKind::not_found, fmt::format("No such webhook endpoint: {}", id));
}

inline std::unexpected<Error> no_delivery(const WebhookDeliveryId& id) {
  return fail(ErrorKind::not_found, fmt::format("No such webhook delivery: {}", id));
}

inline std::unexpected<Error> name_taken(std::string_view name) {
  return fail(ErrorKind::conflict,
              fmt::format("There is a project named '{}' already; choose another name.", name));
}

inline std::unexpected<Error> id_taken(std::string_view id) {
  return fail(ErrorKind::conflict, fmt::format("The id '{}' is taken.", id));
}

inline std::unexpected<Error> batch_changed(const BatchId& id) {
  return fail(ErrorKind::conflict,
              fmt::format("Batch '{}' was changed meanwhile; read it again.", id));
}

inline std::unexpected<Error> batch_finished(const BatchId& id) {
  return fail(ErrorKind::conflict, fmt::format("Batch '{}' is finished.", id));
}

inline std::unexpected<Error> lease_held(const BatchId& batch, const WorkerId& holder) {
  return fail(ErrorKind::conflict, fmt::format("Worker '{}' holds batch '{}'.", holder, batch));
}

inline std::unexpected<Error> lease_lost(const BatchId& batch, std::uint64_t epoch) {
  return fail(ErrorKind::conflict,
              fmt::format("The lease on batch '{}' with epoch {} is lost.", batch, epoch));
}

inline std::unexpected<Error> file_in_use(const FileId& id) {
  return fail(ErrorKind::conflict,
              fmt::format("File '{}' is not deleted, or an unfinished batch reads it.", id));
}

inline std::unexpected<Error> upload_closed(const UploadId& id, UploadStatus status) {
  return fail(ErrorKind::conflict, fmt::format("Upload '{}' is {}.", id, to_string(status)));
}

inline std::unexpected<Error> part_in_use(const PartId& id) {
  return fail(ErrorKind::conflict, fmt::format("Part '{}' may still be wanted.", id));
}

inline std::unexpected<Error> too_many_parts(const UploadId& id) {
  return fail(
      ErrorKind::invalid_request,
      fmt::format("Upload '{}' has {} parts already, which is the limit. Send larger parts.", id,
                  kUploadPartsMax));
}

inline std::unexpected<Error> endpoint_deleted(const WebhookEndpointId& id) {
  return fail(ErrorKind::conflict, fmt::format("Webhook endpoint '{}' is deleted.", id));
}

inline std::unexpected<Error> wrong_results(const BatchId& id) {
  return fail(ErrorKind::internal,
              fmt::format("Batch '{}' ends unfinished or with another project's files.", id));
}

}  // namespace offpeak
