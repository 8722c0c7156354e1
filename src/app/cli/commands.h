// The client commands and what they are told. Each returns its exit status (exit_code.h), writes
// data to standard output and talk to standard error.
#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "app/cli/connect.h"
#include "platform/config/config.h"

namespace offpeak::cli {

using Metadata = std::vector<std::pair<std::string, std::string>>;

struct RunOptions {
  CommonOptions common;
  std::string input;
  std::string output;
  std::string errors;  // empty: not downloaded
  std::string window = "24h";
  std::chrono::milliseconds poll{500};
};

struct BatchCreateOptions {
  CommonOptions common;
  std::string file_id;
  std::string endpoint;
  std::string window = "24h";
  Metadata metadata;
};

struct BatchOptions {
  CommonOptions common;
  std::string id;
};

struct BatchWaitOptions {
  CommonOptions common;
  std::string id;
  std::string output;                    // empty: not downloaded
  std::string errors;                    // likewise
  std::chrono::milliseconds timeout{0};  // 0: none
  std::chrono::milliseconds poll{500};
};

struct ListOptions {
  CommonOptions common;
  int limit = 20;
  std::string after;
};

struct FilePathOptions {
  CommonOptions common;
  std::string path;
  LimitProfile profile = LimitProfile::openai;  // of `file check`
};

struct FileOptions {
  CommonOptions common;
  std::string id;
  std::string output;  // `file get`: empty means standard output
};

struct WebhookCreateOptions {
  CommonOptions common;
  std::string name;
  std::string url;
  std::vector<std::string> events;  // empty: all that the server knows
};

struct WebhookOptions {
  CommonOptions common;
  std::string id;
};

struct WebhookUpdateOptions {
  CommonOptions common;
  std::string id;
  std::string name;                 // empty: as it is
  std::string url;                  // likewise
  std::vector<std::string> events;  // likewise
};

struct WebhookRotateOptions {
  CommonOptions common;
  std::string id;
  bool keep_old = false;
};

struct WebhookTestOptions {
  CommonOptions common;
  std::string id;
  std::string event = "batch.completed";
};

struct WebhookDeliveriesOptions {
  CommonOptions common;
  std::string id;
  std::string delivery;  // empty: list them
  int limit = 20;
  std::string after;
};

struct WebhookReplayOptions {
  CommonOptions common;
  std::string id;
  std::string delivery;
};

int run_batch_file(const RunOptions& options);

int batch_create(const BatchCreateOptions& options);
int batch_get(const BatchOptions& options);
int batch_cancel(const BatchOptions& options);
int batch_wait(const BatchWaitOptions& options);
int batch_list(const ListOptions& options);

int file_check(const FilePathOptions& options);
int file_upload(const FilePathOptions& options);
int file_get(const FileOptions& options);
int file_delete(const FileOptions& options);
int file_list(const ListOptions& options);

int webhook_create(const WebhookCreateOptions& options);
int webhook_list(const ListOptions& options);
int webhook_get(const WebhookOptions& options);
int webhook_update(const WebhookUpdateOptions& options);
int webhook_delete(const WebhookOptions& options);
int webhook_rotate(const WebhookRotateOptions& options);
/// ExitCode::error if the receiver's answer is not 2xx.
int webhook_test(const WebhookTestOptions& options);
int webhook_deliveries(const WebhookDeliveriesOptions& options);
int webhook_replay(const WebhookReplayOptions& options);

}  // namespace offpeak::cli
