// What a blob key may look like; every store refuses other keys with ErrorKind::internal, because
// keys are ours and a bad one is a bug.
#pragma once

#include "base/error.h"
#include "base/id.h"

namespace offpeak {

/// "/"-separated segments of [A-Za-z0-9._-], none empty or starting with a dot, 512 bytes in all
/// and 200 in one segment at most.
Status check_blob_key(const BlobKey& key);

}  // namespace offpeak
