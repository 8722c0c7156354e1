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

struct WebhookView {
  std::string id;
  std::string name;
  std::string url;
  std::vector<std::string> event_types;
  std::string secret;  // empty: not shown
  std::string secret_hint;
  std::int64_t created_at = 0;
};

struct DeliveryAttemptView {
  std::int64_t at = 0;
  std::int64_t status = 0;  // 0: no answer
  std::int64_t duration_ms = 0;
  std::string error;
};

struct DeliveryView {
  std::string id;
  std::string event_type;
  std::string batch_id;
  std::string webhook_id;
  std::string status;
  std::uint64_t attempts = 0;
  std::int64_t created_at = 0;
  std::optional<std::int64_t> next_attempt_at;
  std::vector<DeliveryAttemptView> log;
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

CliResult<WebhookView> parse_webhook(std::string_view json);
CliResult<Page<WebhookView>> parse_webhook_page(std::string_view json);
CliResult<DeliveryView> parse_delivery(std::string_view json);
CliResult<Page<DeliveryView>> parse_delivery_page(std::string_view json);
/// What the receiver answered to a test.
CliResult<std::int64_t> parse_webhook_test(std::string_view json);
CliResult<std::vector<std::string>> parse_event_types(std::string_view json);

/// The body of POST /webhook_endpoints, and of an update; what is empty is left out.
std::string webhook_json(const std::string& name, const std::string& url,
                         const std::vector<std::string>& event_types);

/// The body of a test.
std::string test_json(const std::string& event_type);

struct NewBatch {
  std::string input_file_id;
  std::string endpoint;
  std::string completion_window = "24h";
  std::vector<std::pair<std::string, std::string>> metadata;
};

/// The body of POST /batches.
std::string to_json(const NewBatch& batch);

}  // namespace offpeak::cli
