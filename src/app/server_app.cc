#include "app/server_app.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <future>
#include <utility>

#include "api/server_api.h"
#include "app/sweeper.h"
#include "app/upstreams.h"
#include "pipeline/batches/batch_service.h"
#include "pipeline/dispatch/dispatcher.h"
#include "pipeline/engine/local_engine.h"
#include "pipeline/files/multipart_upload.h"
#include "pipeline/relay/relay.h"
#include "pipeline/results/journal_sync.h"
#include "pipeline/upstream/discovery.h"
#include "pipeline/webhooks/webhook_courier.h"
#include "platform/crypto/api_key.h"
#include "platform/http/server.h"
#include "platform/http/watchdog.h"
#include "platform/observe/log.h"
#include "platform/webclient/curl_sender.h"

namespace offpeak {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kWorkerThreads = 4;
constexpr std::size_t kIntakeThreads = 2;
constexpr std::size_t kOutboundThreads = 4;
constexpr auto kSweepInterval = 2s;
constexpr auto kClientsCheck = 10ms;
/// How long a batch waits for the local engine to load its model.
constexpr auto kEnginePatience = 10min;
/// sysexits.h: an input/output error.
constexpr int kExitIoError = 74;

[[noreturn]] void stop_on_lost_journal(const Error& error) {
  log::error("journal", "results can no longer be made durable, stopping: {}", error.message);
  ::_exit(kExitIoError);
}

/// Connections to clients and upstreams are many; the soft limit is often 1,024.
void raise_file_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  static_cast<void>(::setrlimit(RLIMIT_NOFILE, &limit));
}

EnqueuedLimit enqueued_limit(const EnqueuedConfig& limit) {
  return {.tokens = limit.tokens, .requests = limit.requests};
}

BatchLimits batch_limits(const LimitsConfig& limits) {
  BatchLimits made{.intake = {.rows = limits.rows,
                              .file_bytes = limits.batch_file_bytes,
                              .line_bytes = limits.line_bytes,
                              .embedding_inputs = limits.embedding_inputs,
                              .listed_errors = limits.listed_errors},
                   .enqueued = {.each_model = enqueued_limit(limits.enqueued)}};
  for (const auto& [model, own] : limits.per_model) {
    made.enqueued.models[model] = enqueued_limit(own);
  }
  return made;
}

DispatchPolicy dispatch_policy(const RetryConfig& retry) {
  return {.backoff = {.max_attempts = static_cast<std::uint32_t>(retry.max_attempts),
                      .base = retry.base_delay,
                      .max = retry.max_delay},
          .unreachable_timeout = retry.unreachable_timeout,
          .never_reached_timeout = retry.never_reached_timeout};
}

http::ServerLimits server_limits(const HttpConfig& http) {
  return {.connections_max = static_cast<std::size_t>(http.max_connections),
          .head_timeout = http.head_timeout,
          .idle_timeout = http.idle_timeout,
          .stall_timeout = http.body_timeout};
}

}  // namespace

/// In the order of construction; destroyed in the reverse order.
struct ServerApp::Parts {
  Parts(Config with, DataDir dir, std::vector<UpstreamSettings> ups, std::string operator_key_hash,
        const SecretBox::Key& secret_key)
      : config(std::move(with)),
        data(std::move(dir)),
        upstreams(std::move(ups)),
        models(upstreams, config.default_model),
        sync(config.storage.sync_interval, stop_on_lost_journal),
        batches(
            {*data.blobs, *data.meta, clock, random, models, progress, intake, WorkerId("local")},
            batch_limits(config.limits),
            has_engine() ? kEnginePatience : config.retry.never_reached_timeout),
        box(secret_key, random),
        webhook_sender(clock, {.allow_private = config.webhooks.allow_private_targets}),
        client{dispatch_loop, upstream_watchdog, *tls},
        dispatcher({dispatch_loop, workers, *data.blobs, *data.meta, clock, random, models, sync,
                    progress, WorkerId("local"), &interactive},
                   dispatch_policy(config.retry), upstreams, client,
                   {[this](BatchRun& run) { return batches.finish(run); }, stop_on_lost_journal}),
        relay(api_loop, clock, models, upstreams, interactive),
        api({{*data.blobs, *data.meta, clock, random},
             batches,
             models,
             workers,
             webhooks,
             box,
             outbound,
             relay},
            {config.limits.file_bytes,
             std::move(operator_key_hash),
             clock.unix_now(),
             {config.rate_limits.requests_per_minute, config.rate_limits.tokens_per_minute},
             config.http.inference_body_bytes,
             config.limits.upload_bytes}),
        server(api_loop, api, clock, random, server_limits(config.http)) {
    batches.connect(dispatcher);
  }

  bool has_engine() const { return !upstreams.empty() && upstreams.back().catch_all; }

  /// Until every client has its answer, at the latest until `deadline`.
  Task<> wait_for_clients(SteadyTime deadline, std::promise<void>& done) {
    while (server.connections() > 0 && clock.steady_now() < deadline) {
      co_await sleep_for(api_loop, kClientsCheck);
    }
    done.set_value();
  }

  Task<> sweep_for_ever() {
    while (true) {
      co_await sleep_for(api_loop, kSweepInterval);
      auto pass = [this] { return sweep(*data.blobs, *data.meta, clock); };
      bool more = true;
      while (more) more = co_await offload(workers, pass);
    }
  }

  Status start_engine() {
    EngineConfig engine_config = config.engine;
    engine_config.port = upstreams.back().endpoint.port;
    const auto index = static_cast<UpstreamIndex>(upstreams.size() - 1);
    auto command = find_engine(engine_config, process_environment(),
                               engine_directories(process_environment()));
    if (!command) return std::unexpected(command.error());
    auto listener = [this, index, model = command->model_name](const EngineStatus& status) {
      if (status.state == EngineState::ready) models.discovered(index, {model});
      if (status.state == EngineState::failed) models.gave_up(index, status.reason);
    };
    engine = LocalEngine::start(std::move(*command), engine_config, clock, data.path / "engine.log",
                                EngineTimings{}, std::move(listener));
    return {};
  }

  void start_discovery() {
    dispatch_loop.spawn(upstream_watchdog.run(dispatch_loop));
    for (std::size_t i = 0; i < upstreams.size(); ++i) {
      if (upstreams[i].catch_all || !upstreams[i].models.empty()) continue;
      dispatch_loop.spawn(
          discover_models(client, clock, models, static_cast<UpstreamIndex>(i), upstreams[i]));
    }
  }

  SystemClock clock;
  SystemRandom random;
  Config config;
  DataDir data;
  EventLoop api_loop{"offpeak-api"};
  EventLoop dispatch_loop{"offpeak-run"};
  std::vector<UpstreamSettings> upstreams;
  ModelDirectory models;
  InteractiveLoad interactive{upstreams.size()};
  ProgressBoard progress;
  JournalSync sync;
  Workers workers{kWorkerThreads};
  Workers intake{kIntakeThreads};
  BatchService batches;
  SecretBox box;
  CurlSender webhook_sender;
  WebhookWorld webhook_world{*data.meta, clock, random, box, webhook_sender};
  WebhookService webhooks{webhook_world};
  WebhookCourier courier{webhook_world, CourierSettings{}};
  Workers outbound{kOutboundThreads};
  http::Watchdog upstream_watchdog{clock};
  std::unique_ptr<http::TlsContext, void (*)(http::TlsContext*)> tls = http::make_tls_context();
  http::ClientContext client;
  Dispatcher dispatcher;
  Relay relay;
  ServerApi api;
  http::Server server;
  std::unique_ptr<LocalEngine> engine;
  std::string url;
  std::optional<std::string> new_key;
};

ServerApp::ServerApp(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
ServerApp::~ServerApp() = default;

const std::string& ServerApp::url() const {
  return parts_->url;
}
const std::optional<std::string>& ServerApp::new_key() const {
  return parts_->new_key;
}

Result<std::unique_ptr<ServerApp>> ServerApp::start(Config config) {
  raise_file_limit();
  auto upstreams = configured_upstreams(config);
  if (!upstreams) return std::unexpected(upstreams.error());
  auto data = DataDir::open(config.data_dir);
  if (!data) return std::unexpected(data.error());
  SystemClock clock;
  SystemRandom random;
  auto new_key = ensure_default_project(*data, clock, random);
  if (!new_key) return std::unexpected(new_key.error());
  const auto operator_key = ensure_operator_key(data->path, random);
  if (!operator_key) return std::unexpected(operator_key.error());
  const auto secret_key = ensure_secret_key(data->path, random);
  if (!secret_key) return std::unexpected(secret_key.error());
  const EngineMode mode = config.engine.mode.mode;
  const bool wants_engine =
      mode == EngineMode::executable || (mode == EngineMode::automatic && upstreams->empty());
  if (wants_engine) {
    const auto port = config.engine.port == 0 ? free_port() : config.engine.port;
    upstreams->push_back(engine_upstream(port, config.engine.slots));
  }
  auto parts = std::make_unique<Parts>(std::move(config), std::move(*data), std::move(*upstreams),
                                       sha256_hex(*operator_key), *secret_key);
  parts->new_key = std::move(*new_key);
  if (wants_engine) {
    if (auto started = parts->start_engine(); !started) {
      if (mode == EngineMode::executable) return std::unexpected(started.error());
      parts->models.gave_up(static_cast<UpstreamIndex>(parts->upstreams.size() - 1),
                            started.error().message);
      log::warn("engine", "no local engine: {}", started.error().message);
    }
  }
  if (auto ok = remove_unrecorded_parts(*parts->data.blobs, *parts->data.meta); !ok) {
    return std::unexpected(ok.error());
  }
  if (auto ok = parts->batches.recover_progress(); !ok) return std::unexpected(ok.error());
  const auto& listen = parts->config.listen;
  const auto bound = parts->server.listen(listen.host, listen.port);
  if (!bound) return std::unexpected(bound.error());
  parts->url = "http://" + *bound;
  if (auto written = write_private_file(parts->data.path / "server.url", parts->url); !written) {
    return std::unexpected(written.error());
  }
  parts->start_discovery();
  if (auto ok = parts->batches.resume(); !ok) return std::unexpected(ok.error());
  parts->api_loop.spawn(parts->sweep_for_ever());
  parts->courier.start();
  parts->dispatch_loop.start();
  parts->api_loop.start();
  return std::unique_ptr<ServerApp>(new ServerApp(std::move(parts)));
}

void ServerApp::drain(std::chrono::milliseconds timeout) {
  Parts& parts = *parts_;
  parts.server.stop_accepting();
  const SteadyTime deadline = parts.clock.steady_now() + timeout;
  std::promise<void> drained;
  parts.dispatcher.drain(deadline, [&] { drained.set_value(); });
  std::promise<void> answered;
  parts.api_loop.spawn(parts.wait_for_clients(deadline, answered));
  drained.get_future().wait();
  answered.get_future().wait();
  if (parts.engine) parts.engine->stop();
  parts.models.close();
  parts.courier.stop();
  parts.outbound.stop();
  parts.intake.stop();
  parts.workers.stop();
  parts.api_loop.stop();
  parts.dispatch_loop.stop();
  std::error_code ignored;
  std::filesystem::remove(parts.data.path / "server.url", ignored);
}

}  // namespace offpeak
