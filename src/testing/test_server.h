// The whole server in one process, as app/server_app.cc wires it, over stores in memory and a clock
// that the test advances.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "api/server_api.h"
#include "base/clock.h"
#include "base/random.h"
#include "pipeline/batches/batch_service.h"
#include "pipeline/dispatch/dispatcher.h"
#include "pipeline/results/journal_sync.h"
#include "platform/blob/memory_blob_store.h"
#include "platform/http/server.h"
#include "platform/http/watchdog.h"
#include "platform/meta/memory_meta_store.h"
#include "platform/webclient/scripted_sender.h"

namespace offpeak {

/// What a restart leaves as it is.
struct TestStores {
  MemoryBlobStore blobs;
  MemoryMetaStore meta;
  ManualClock clock{std::chrono::sys_days(std::chrono::year(2026) / 1 / 1)};
  SystemRandom random;
};

struct TestServerOptions {
  std::vector<UpstreamSettings> upstreams;
  std::string default_model;
  DispatchPolicy dispatch;
  BatchLimits limits;
  std::chrono::milliseconds discovery_patience = std::chrono::seconds(20);
  std::uint64_t file_bytes_max = 1 << 20;
  std::string operator_key = "operator-key";
  RateLimitSettings rate_limits;
  SecretBox::Key secret_key{};
};

/// Serves from construction on. Its destruction is a crash of the process: what was handed to the
/// operating system stays, attempts under way are lost.
class TestServer {
 public:
  /// `stores` outlive the server.
  TestServer(TestStores& stores, const TestServerOptions& options);
  ~TestServer();
  TestServer(const TestServer&) = delete;

  std::uint16_t port() const { return port_; }
  const ServerApi& api() const { return api_; }
  Dispatcher& dispatcher() { return dispatcher_; }
  BatchService& batches() { return batches_; }
  ModelDirectory& models() { return models_; }
  const InteractiveLoad& interactive() const { return interactive_; }
  ScriptedSender& webhook_sender() { return webhook_sender_; }
  /// Runs `function` on the dispatcher's loop and returns when it is done.
  void on_dispatch_loop(const std::function<void()>& function);
  /// Runs Dispatcher::tick() there.
  void tick();
  /// What the journal gave as reasons to stop the process.
  std::vector<std::string> fatal_errors() const;

 private:
  void note_fatal(const Error& error);

  mutable std::mutex mutex_;
  std::vector<std::string> fatal_errors_;  // guarded by mutex_
  EventLoop api_loop_{"test-api"};
  EventLoop dispatch_loop_{"test-run"};
  ModelDirectory models_;
  InteractiveLoad interactive_;
  ProgressBoard progress_;
  JournalSync sync_;
  Workers workers_{2};
  Workers intake_{2};
  BatchService batches_;
  SecretBox box_;
  ScriptedSender webhook_sender_;
  WebhookService webhooks_;
  http::Watchdog watchdog_;
  std::unique_ptr<http::TlsContext, void (*)(http::TlsContext*)> tls_ = http::make_tls_context();
  Dispatcher dispatcher_;
  Relay relay_;
  ServerApi api_;
  http::Server server_;
  std::uint16_t port_ = 0;
};

}  // namespace offpeak
