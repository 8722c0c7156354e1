// Removes what has had its time: expired files and uploads, the bytes of deleted files once no
// batch reads them, parts nobody wants, remembered requests, old webhook deliveries.
#pragma once

#include "base/clock.h"
#include "platform/blob/blob_store.h"
#include "platform/meta/meta_store.h"

namespace offpeak {

/// One pass. Blocking. Says whether there may be more to do at once.
bool sweep(BlobStore& blobs, MetaStore& meta, const Clock& clock);

}  // namespace offpeak
