#include "testing/test_server.h"

#include <future>
#include <stdexcept>

#include "platform/crypto/api_key.h"

namespace offpeak {
namespace {

const WorkerId kWorker("test");

void require(const Status& status) {
  if (!status) throw std::runtime_error(status.error().message);
}

}  // namespace

TestServer::TestServer(TestStores& stores, const TestServerOptions& options)
    : models_(options.upstreams, options.default_model),
      interactive_(options.upstreams.size()),
      sync_(std::chrono::milliseconds(1), [this](const Error& error) { note_fatal(error); }),
      batches_({stores.blobs, stores.meta, stores.clock, stores.random, models_, progress_, intake_,
                kWorker},
               options.limits, options.discovery_patience),
      box_(options.secret_key, stores.random),
      webhooks_({stores.meta, stores.clock, stores.random, box_, webhook_sender_}),
      watchdog_(stores.clock),
      dispatcher_({dispatch_loop_, workers_, stores.blobs, stores.meta, stores.clock, stores.random,
                   models_, sync_, progress_, kWorker, &interactive_},
                  options.dispatch, options.upstreams, {dispatch_loop_, watchdog_, *tls_},
                  {[this](BatchRun& run) { return batches_.finish(run); },
                   [this](const Error& error) { note_fatal(error); }}),
      relay_(api_loop_, stores.clock, models_, options.upstreams, interactive_),
      api_({{stores.blobs, stores.meta, stores.clock, stores.random},
            batches_,
            models_,
            workers_,
            webhooks_,
            box_,
            workers_,
            relay_},
           {options.file_bytes_max, sha256_hex(options.operator_key), stores.clock.unix_now(),
            options.rate_limits}),
      server_(api_loop_, api_, stores.clock, stores.random, {}) {
  batches_.connect(dispatcher_);
  require(batches_.recover_progress());
  const auto bound = server_.listen("127.0.0.1", 0);
  if (!bound) throw std::runtime_error(bound.error().message);
  port_ = static_cast<std::uint16_t>(std::stoi(bound->substr(bound->rfind(':') + 1)));
  dispatch_loop_.spawn(watchdog_.run(dispatch_loop_));
  require(batches_.resume());
  dispatch_loop_.start();
  api_loop_.start();
}

TestServer::~TestServer() {
  models_.close();
  intake_.stop();
  workers_.stop();
  api_loop_.stop();
  dispatch_loop_.stop();
}

void TestServer::on_dispatch_loop(const std::function<void()>& function) {
  std::promise<void> done;
  dispatch_loop_.post([&] {
    function();
    done.set_value();
  });
  done.get_future().wait();
}

void TestServer::tick() {
  on_dispatch_loop([this] { dispatcher_.tick(); });
}

std::vector<std::string> TestServer::fatal_errors() const {
  const std::lock_guard lock(mutex_);
  return fatal_errors_;
}

void TestServer::note_fatal(const Error& error) {
  const std::lock_guard lock(mutex_);
  fatal_errors_.push_back(error.message);
}

}  // namespace offpeak
