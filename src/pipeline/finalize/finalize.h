// The end of a batch: un-run rows get their line, the journal parts become the result files as they
// are, and one transaction counts, bills and closes. Blocking; call it from a worker.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "base/random.h"
#include "pipeline/run/batch_run.h"
#include "platform/blob/blob_store.h"
#include "platform/meta/meta_store.h"

namespace offpeak {

struct FinalizeWorld {
  BlobStore& blobs;
  MetaStore& meta;
  const Clock& clock;
  Random& random;
};

/// Closes the batch of an ended run. May be called again after any error; storage_full is worth it.
Status finalize(FinalizeWorld world, BatchRun& run);

/// Closes a batch that was cancelled before it had a row index: no rows, no files.
Status finalize_without_rows(FinalizeWorld world, const BatchRecord& batch, const WorkerId& worker);

}  // namespace offpeak
