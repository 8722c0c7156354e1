#include "core/openai/ids.h"

#include <fmt/format.h>

namespace offpeak {

FileId make_file_id(Random& random) {
  return FileId("file-" + random.alphanumeric(22));
}

BatchId make_batch_id(Random& random, UnixSeconds now) {
  return BatchId(fmt::format("batch_{:08x}{}", now.time_since_epoch().count(), random.hex(24)));
}

ProjectId make_project_id(Random& random) {
  return ProjectId("proj_" + random.alphanumeric(24));
}

KeyId make_key_id(Random& random) {
  return KeyId("key_" + random.alphanumeric(24));
}

}  // namespace offpeak
