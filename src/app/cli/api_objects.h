// The parts of the API's objects that the client commands show or act on.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/cli/exit_code.h"

namespace offpeak::cli {

struct FileView {
  std::string id;
  std::string filename;
  std::string purpose;
  std::uint64_t bytes = 0;
  std::int64_t created_at = 0;
};

struct BatchErrorView {
  std::optional<std::uint64_t> line;
  std::string code;
  std::string message;
};

struct BatchView {
  std::string id;
  std::string status;
  std::string endpoint;
  std::string model;
  std::string input_file_id;
  std::string output_file_id;  // empty: there is none
  std::string error_file_id;   // likewise
  std::uint64_t total = 0;
  std::uint64_t completed = 0;
  std::uint64_t failed = 0;
  std::int64_t created_at = 0;
  std::int64_t expires_at = 0;
  std::optional<std::int64_t> ended_at;
  std::uint64_t input_tokens = 0;
  std::uint64_t cached_tokens = 0;
  std::uint64_t output_tokens = 0;
  std::vector<BatchErrorView> errors;
  std::vector<std::pair<std::string, std::string>> metadata;

  bool ended() const;
};

template <class View>
struct Page {
  std::vector<View> data;
  bool has_more = false;
};

CliResult<FileView> parse_file(std::string_view json);
CliResult<BatchView> parse_batch(std::string_view json);
CliResult<Page<FileView>> parse_file_page(std::string_view json);
CliResult<Page<BatchView>> parse_batch_page(std::string_view json);

struct NewBatch {
  std::string input_file_id;
  std::string endpoint;
  std::string completion_window = "24h";
  std::vector<std::pair<std::string, std::string>> metadata;
};

/// The body of POST /batches.
std::string to_json(const NewBatch& batch);

}  // namespace offpeak::cli
