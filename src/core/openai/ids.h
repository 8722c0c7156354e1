// New identifiers in the shapes OpenAI's service uses (contract section 1.8), at least 120 random
// bits.
#pragma once

#include "base/clock.h"
#include "base/id.h"
#include "base/random.h"

namespace offpeak {

FileId make_file_id(Random& random);
/// The first eight hex digits are the time of creation.
BatchId make_batch_id(Random& random, UnixSeconds now);
UploadId make_upload_id(Random& random);
PartId make_part_id(Random& random);
ProjectId make_project_id(Random& random);
KeyId make_key_id(Random& random);
WebhookEndpointId make_webhook_endpoint_id(Random& random);

}  // namespace offpeak
