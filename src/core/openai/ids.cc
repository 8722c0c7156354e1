#include "core/openai/ids.h"

#include <fmt/format.h>

namespace offpeak {

FileId make_file_id(Random& random) {
  return FileId("file-" + random.alphanumeric(22));
}

BatchId make_batch_id(Random& random, UnixSeconds now) {
  return BatchId(fmt::format("batch_{:08x}{}", now.time_since_epoch().count(), random.hex(24)));
}

UploadId make_upload_id(Random& random) {
  return UploadId("upload_" + random.hex(32));
}

PartId make_part_id(Random& random) {
  return PartId("part_" + random.hex(32));
}

ProjectId make_project_id(Random& random) {
  return ProjectId("proj_" + random.alphanumeric(24));
}

KeyId make_key_id(Random& random) {
  return KeyId("key_" + random.alphanumeric(24));
}

WebhookEndpointId make_webhook_endpoint_id(Random& random) {
  return WebhookEndpointId("whe_" + random.hex(32));
}

}  // namespace offpeak
