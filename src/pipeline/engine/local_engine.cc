#include "pipeline/engine/local_engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "pipeline/engine/loopback.h"
#include "platform/observe/log.h"

namespace offpeak {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view kModule = "engine";
constexpr std::size_t kShownLines = 20;
constexpr std::uint64_t kMaxLogBytes = 64 << 20;
constexpr milliseconds kHealthTimeout{1'000};

milliseconds since(SteadyTime begin, SteadyTime now) {
  return std::chrono::duration_cast<milliseconds>(now - begin);
}

}  // namespace

std::string_view to_string(EngineState state) {
  switch (state) {
    case EngineState::starting:
      return "starting";
    case EngineState::ready:
      return "ready";
    case EngineState::restarting:
      return "restarting";
    case EngineState::failed:
      return "failed";
    case EngineState::stopped:
      return "stopped";
  }
  return "unknown";
}

milliseconds next_backoff(std::optional<milliseconds> previous, milliseconds ready_for,
                          const EngineTimings& timings) {
  if (!previous || ready_for > timings.max_backoff) return timings.first_backoff;
  return std::min(*previous * 2, timings.max_backoff);
}

Result<std::unique_ptr<LocalEngine>> LocalEngine::start(const EngineConfig& config,
                                                        const Clock& clock,
                                                        std::filesystem::path log_file,
                                                        Listener listener) {
  const auto environment = process_environment();
  auto command = find_engine(config, environment, engine_directories(environment));
  if (!command) return std::unexpected(command.error());
  return start(*std::move(command), config, clock, std::move(log_file), {}, std::move(listener));
}

std::unique_ptr<LocalEngine> LocalEngine::start(EngineCommand command, const EngineConfig& config,
                                                const Clock& clock, std::filesystem::path log_file,
                                                EngineTimings timings, Listener listener) {
  std::unique_ptr<LocalEngine> engine(new LocalEngine(
      std::move(command), config, clock, std::move(log_file), timings, std::move(listener)));
  engine->thread_ = std::thread([raw = engine.get()] { raw->supervise(); });
  return engine;
}

LocalEngine::LocalEngine(EngineCommand command, const EngineConfig& config, const Clock& clock,
                         std::filesystem::path log_file, EngineTimings timings, Listener listener)
    : command_(std::move(command)),
      wanted_port_(config.port),
      slots_(config.slots),
      clock_(clock),
      log_file_(std::move(log_file)),
      timings_(timings),
      listener_(std::move(listener)) {}

LocalEngine::~LocalEngine() {
  stop();
}

EngineStatus LocalEngine::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

std::string LocalEngine::base_url() const {
  return fmt::format("http://127.0.0.1:{}", status().port);
}

Status LocalEngine::wait_ready(milliseconds timeout) const {
  std::unique_lock lock(mutex_);
  const auto settled = [this] {
    return status_.state == EngineState::ready || status_.state == EngineState::failed ||
           status_.state == EngineState::stopped;
  };
  if (!changed_.wait_for(lock, timeout, settled)) {
    return fail(ErrorKind::timeout,
                fmt::format("the engine is not ready after {} s{}{}",
                            std::chrono::floor<std::chrono::seconds>(timeout).count(),
                            status_.reason.empty() ? "" : ": ", status_.reason));
  }
  if (status_.state == EngineState::ready) return {};
  return fail(ErrorKind::unavailable,
              status_.state == EngineState::failed ? status_.reason : "the engine was stopped");
}

void LocalEngine::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void LocalEngine::supervise() {
  std::optional<milliseconds> backoff;
  for (int failures = 1;; ++failures) {
    ready_since_.reset();
    const std::string reason = run_once();
    if (reason.empty()) break;
    const bool give_up = !was_ready_ && failures >= timings_.first_starts;
    const milliseconds ready_for =
        ready_since_ ? since(*ready_since_, clock_.steady_now()) : milliseconds(0);
    backoff = next_backoff(backoff, ready_for, timings_);
    EngineStatus next = status();
    next.state = give_up      ? EngineState::failed
                 : was_ready_ ? EngineState::restarting
                              : EngineState::starting;
    next.reason = reason;
    next.pid = 0;
    publish(next);
    if (give_up) {
      log::error(kModule, "gave up after {} starts: {}", failures, reason);
      return;
    }
    log::warn(kModule, "starting again in {} ms: {}", backoff->count(), reason);
    if (!pause(*backoff)) break;
  }
  EngineStatus last = status();
  last.state = EngineState::stopped;
  last.pid = 0;
  publish(last);
}

std::string LocalEngine::run_once() {
  EngineStatus now = status();
  auto port = free_port(wanted_port_ != 0 ? wanted_port_ : now.port);
  if (!port && wanted_port_ == 0) port = free_port(0);
  if (!port) return port.error().message;
  auto child = ChildProcess::start({.executable = command_.executable,
                                    .arguments = command_.arguments_for(*port),
                                    .log_file = log_file_});
  if (!child) return child.error().message;
  now.port = *port;
  now.pid = child->pid();
  publish(now);

  const SteadyTime begin = clock_.steady_now();
  std::string reason = wait_until_healthy(*child, *port);
  if (reason.empty() && pause(milliseconds(0))) {
    ready_since_ = clock_.steady_now();
    was_ready_ = true;
    now.state = EngineState::ready;
    now.reason.clear();
    publish(now);
    log::info(kModule, "{} is ready on 127.0.0.1:{} after {} ms with {} slots", command_.model_name,
              *port, since(begin, *ready_since_).count(), slots_);
    reason = watch(*child);
  }
  child->stop(timings_.stop_grace);
  return reason;
}

std::string LocalEngine::wait_until_healthy(ChildProcess& child, std::uint16_t port) {
  const SteadyTime begin = clock_.steady_now();
  bool loading = false;
  do {
    const int status = health_status(port, kHealthTimeout);
    if (const auto ended = child.try_wait()) {
      return failure(child, "it " + ended->text() + " before it was ready");
    }
    if (status == 200) return "";
    loading = loading || status != 0;
    const milliseconds limit = loading ? timings_.loading : timings_.first_answer;
    if (since(begin, clock_.steady_now()) >= limit) {
      return failure(child, fmt::format("it was not ready after {} s",
                                        std::chrono::floor<std::chrono::seconds>(limit).count()));
    }
  } while (pause(timings_.poll));
  return "";
}

std::string LocalEngine::watch(ChildProcess& child) {
  do {
    if (const auto ended = child.try_wait()) return failure(child, "it " + ended->text());
    child.bound_log(kMaxLogBytes);
  } while (pause(timings_.poll));
  return "";
}

std::string LocalEngine::failure(const ChildProcess& child, std::string_view what) const {
  std::string lines = child.last_lines(kShownLines);
  while (lines.ends_with('\n')) lines.pop_back();
  return fmt::format("the local engine ({}) does not run: {}; its log {} ends with\n{}",
                     command_.executable.string(), what, log_file_.string(),
                     lines.empty() ? "(nothing)" : lines);
}

void LocalEngine::publish(const EngineStatus& status) {
  bool state_changed = false;
  {
    const std::lock_guard lock(mutex_);
    state_changed = status_.state != status.state;
    status_ = status;
  }
  changed_.notify_all();
  if (state_changed && listener_) listener_(status);
}

bool LocalEngine::pause(milliseconds time) {
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, time, [this] { return stopping_; });
}

}  // namespace offpeak
