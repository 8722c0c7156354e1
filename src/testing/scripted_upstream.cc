#include "testing/scripted_upstream.h"

#include <algorithm>
#include <future>
#include <stdexcept>
#include <utility>

#include "platform/async/event_loop.h"
#include "platform/async/wait_list.h"
#include "platform/http/server.h"

namespace offpeak {
namespace {

/// Half of a body, then a broken connection.
class CutBody final : public http::ResponseStream {
 public:
  explicit CutBody(std::string body) : body_(std::move(body)) {}

  std::optional<std::uint64_t> length() const override { return body_.size(); }
  Task<Result<std::string_view>> next() override {
    if (std::exchange(sent_, true)) co_return fail(ErrorKind::unavailable, "cut by the test");
    co_return std::string_view(body_).substr(0, body_.size() / 2);
  }

 private:
  std::string body_;
  bool sent_ = false;
};

}  // namespace

/// In the order of construction: what is suspended in `held` uses sockets of the loop.
struct ScriptedUpstream::Running final : http::Handler {
  explicit Running(ScriptedUpstream& of)
      : owner(of), server(loop, *this, of.clock_, of.random_, {}) {}
  ~Running() override { loop.stop(); }

  Task<http::Response> handle(http::Request& request, http::RequestBody& body) override {
    UpstreamCall call{.request = request, .body = {}, .at = owner.clock_.steady_now()};
    while (true) {
      const auto piece = co_await body.read();
      if (!piece || piece->empty()) break;
      call.body += *piece;
    }
    auto answer = owner.begin(std::move(call));
    if (answer.held && !owner.gate_open()) co_await held.wait();
    owner.end();
    http::Response response{.status = answer.status, .headers = std::move(answer.headers)};
    response.headers.push_back({"content-type", "application/json"});
    if (answer.cut) {
      response.body = std::make_unique<CutBody>(std::move(answer.body));
    } else {
      response.body = std::move(answer.body);
    }
    co_return response;
  }
  http::Response refuse(const Error& error, std::string_view) override {
    return {.status = 400, .headers = {}, .body = error.message};
  }

  void release() {
    loop.post([this] { held.release_all(); });
  }

  ScriptedUpstream& owner;
  EventLoop loop{"test-upstream"};
  WaitList held;
  http::Server server;
};

ScriptedUpstream::ScriptedUpstream(const Clock& clock) : clock_(clock) {
  start();
}

ScriptedUpstream::~ScriptedUpstream() {
  stop();
}

void ScriptedUpstream::start() {
  running_ = std::make_unique<Running>(*this);
  const auto bound = running_->server.listen("127.0.0.1", port_);
  if (!bound) throw std::runtime_error(bound.error().message);
  port_ = static_cast<std::uint16_t>(std::stoi(bound->substr(bound->rfind(':') + 1)));
  running_->loop.start();
}

void ScriptedUpstream::stop() {
  running_.reset();
  const std::lock_guard lock(mutex_);
  in_progress_ = 0;
}

void ScriptedUpstream::script(Script script) {
  const std::lock_guard lock(mutex_);
  script_ = std::move(script);
}

void ScriptedUpstream::release() {
  running_->release();
}

void ScriptedUpstream::open_gate() {
  {
    const std::lock_guard lock(mutex_);
    gate_open_ = true;
  }
  running_->release();
}

UpstreamAnswer ScriptedUpstream::begin(UpstreamCall call) {
  const std::lock_guard lock(mutex_);
  call.number = calls_.size();
  calls_.push_back(std::move(call));
  most_in_progress_ = std::max(most_in_progress_, ++in_progress_);
  return script_ ? script_(calls_.back()) : UpstreamAnswer();
}

void ScriptedUpstream::end() {
  const std::lock_guard lock(mutex_);
  --in_progress_;
}

bool ScriptedUpstream::gate_open() const {
  const std::lock_guard lock(mutex_);
  return gate_open_;
}

std::vector<UpstreamCall> ScriptedUpstream::calls() const {
  const std::lock_guard lock(mutex_);
  return calls_;
}

std::size_t ScriptedUpstream::call_count() const {
  const std::lock_guard lock(mutex_);
  return calls_.size();
}

std::size_t ScriptedUpstream::in_progress() const {
  const std::lock_guard lock(mutex_);
  return in_progress_;
}

std::size_t ScriptedUpstream::most_in_progress() const {
  const std::lock_guard lock(mutex_);
  return most_in_progress_;
}

UpstreamSettings ScriptedUpstream::settings(const std::string& model,
                                            std::uint32_t max_concurrency) const {
  UpstreamSettings settings;
  settings.name = "scripted";
  settings.endpoint = {.host = "127.0.0.1", .port = port_};
  settings.models = {model};
  settings.max_concurrency = max_concurrency;
  // By the manual clock, so that a test that advances it far does not break attempts off.
  settings.timeout = std::chrono::hours(1000);
  return settings;
}

}  // namespace offpeak
