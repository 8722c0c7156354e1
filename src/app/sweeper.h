// Deletes expired files, and the bytes of deleted ones once no batch reads them.
#pragma once

#include "base/clock.h"
#include "platform/blob/blob_store.h"
#include "platform/meta/meta_store.h"

namespace offpeak {

/// One pass. Blocking. Says whether there may be more to do at once.
bool sweep_files(BlobStore& blobs, MetaStore& meta, const Clock& clock);

}  // namespace offpeak
