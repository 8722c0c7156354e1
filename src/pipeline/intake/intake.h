// Reads an input file once: every check of contract section 4, the row index, the dispatch order.
// Memory: 24 bytes a row and the longest line; no row is kept.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"
#include "base/id.h"
#include "base/random.h"
#include "core/records/batch.h"
#include "pipeline/files/file_reader.h"
#include "platform/blob/blob_store.h"

namespace offpeak {

struct IntakeLimits {
  std::uint64_t rows = 50'000;
  std::uint64_t file_bytes = 209'715'200;
  std::uint64_t line_bytes = 8u << 20;
  std::uint64_t embedding_inputs = 50'000;
  std::uint64_t listed_errors = 1'000;
};

struct IntakeSummary {
  std::uint64_t rows = 0;
  std::string requested_model;      // as the rows name it; empty if they name none
  std::uint64_t prompt_tokens = 0;  // estimate
};

/// The batch may run, or why not.
using IntakeVerdict = std::variant<IntakeSummary, std::vector<LineError>>;

/// Whether a batch may ask for this model; if not, the message for the user. unavailable: not
/// known, intake ends with that error.
using ModelCheck = std::function<Status(std::string_view model)>;

struct IntakeJob {
  BatchId batch;
  std::string endpoint;
  const FileReader& input;
  const ModelCheck& check_model;
};

/// Writes the row index of `job.batch`, replacing what an earlier run left. Blocks for as long as
/// reading the file takes. An Error is a failure of ours (disk), not of the input.
Result<IntakeVerdict> run_intake(BlobStore& blobs, Random& random, const IntakeLimits& limits,
                                 const IntakeJob& job);

}  // namespace offpeak
