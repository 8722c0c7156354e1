// The engine that offpeak brings itself: a child process that is started, waited for, restarted
// with growing pauses when it dies, and ended with us (also when we are killed).
//
// One thread of its own does all that; every member may be called from any thread. The engine's
// output goes to the log file, its last lines into our own log and into the reason of a failure.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/error.h"
#include "pipeline/engine/engine_command.h"
#include "platform/config/config.h"
#include "platform/process/child_process.h"

namespace offpeak {

enum class EngineState {
  starting,    // for the first time
  ready,       // answers
  restarting,  // was ready and is not; it comes back
  failed,      // never got ready and we gave up
  stopped,
};

std::string_view to_string(EngineState state);

struct EngineStatus {
  EngineState state = EngineState::starting;
  std::string reason = {};  // why it is not ready: the last failure with the log's last lines
  std::uint16_t port = 0;   // stays, unless it was taken by others while the engine was away
  pid_t pid = 0;            // 0: none runs
};

struct EngineTimings {
  std::chrono::milliseconds first_answer = std::chrono::seconds(60);  // of /health, any status
  std::chrono::milliseconds loading = std::chrono::minutes(10);       // while it says 503
  std::chrono::milliseconds poll{100};
  std::chrono::milliseconds first_backoff{1'000};
  std::chrono::milliseconds max_backoff{30'000};
  std::chrono::milliseconds stop_grace{5'000};
  int first_starts = 3;  // failures in a row before the first success that make it `failed`
};

/// The pause before the next start: doubles, but begins anew after a run that was ready for longer
/// than the longest pause.
std::chrono::milliseconds next_backoff(std::optional<std::chrono::milliseconds> previous,
                                       std::chrono::milliseconds ready_for,
                                       const EngineTimings& timings);

class LocalEngine {
 public:
  /// Called on the engine's thread at every change of state; must not call stop().
  using Listener = std::function<void(const EngineStatus&)>;

  /// Returns at once, the engine is starting. Error not_found: there is nothing to start, and what
  /// to do about it. `clock` must outlive the engine.
  static Result<std::unique_ptr<LocalEngine>> start(const EngineConfig& config, const Clock& clock,
                                                    std::filesystem::path log_file,
                                                    Listener listener = {});
  static std::unique_ptr<LocalEngine> start(EngineCommand command, const EngineConfig& config,
                                            const Clock& clock, std::filesystem::path log_file,
                                            EngineTimings timings, Listener listener = {});
  LocalEngine(const LocalEngine&) = delete;
  LocalEngine& operator=(const LocalEngine&) = delete;
  ~LocalEngine();

  EngineStatus status() const;
  EngineState state() const { return status().state; }
  std::string base_url() const;  // "http://127.0.0.1:41234"; ask again after each `ready`
  const std::string& model_name() const { return command_.model_name; }
  int slots() const { return slots_; }

  /// Blocks until ready. Error: failed (with the log's last lines), stopped, or `timeout` passed.
  Status wait_ready(std::chrono::milliseconds timeout) const;

  /// Ends the engine: stdin closed, SIGTERM, after the grace SIGKILL. Returns when it is gone.
  void stop();

 private:
  LocalEngine(EngineCommand command, const EngineConfig& config, const Clock& clock,
              std::filesystem::path log_file, EngineTimings timings, Listener listener);

  void supervise();
  /// One life of the child: from start to end. The text says how it failed; empty if we stop.
  std::string run_once();
  std::string wait_until_healthy(ChildProcess& child, std::uint16_t port);
  std::string watch(ChildProcess& child);
  std::string failure(const ChildProcess& child, std::string_view what) const;
  void publish(const EngineStatus& status);
  /// False once we stop.
  bool pause(std::chrono::milliseconds time);

  const EngineCommand command_;
  const std::uint16_t wanted_port_;
  const int slots_;
  const Clock& clock_;
  const std::filesystem::path log_file_;
  const EngineTimings timings_;
  const Listener listener_;

  // Of the engine's thread only.
  std::optional<SteadyTime> ready_since_;
  bool was_ready_ = false;

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  EngineStatus status_;
  bool stopping_ = false;
  std::thread thread_;  // forks the child, so the child lives no longer than it
};

}  // namespace offpeak
