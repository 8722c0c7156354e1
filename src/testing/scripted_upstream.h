// An inference server for tests: answers as the test says, holds answers back until the test lets
// them go, and keeps what it received.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "pipeline/upstream/upstream_settings.h"
#include "platform/http/message.h"

namespace offpeak {

struct UpstreamCall {
  http::Request request;
  std::string body;
  SteadyTime at;           // by the test's clock
  std::size_t number = 0;  // from 0, in the order of arrival
};

struct UpstreamAnswer {
  int status = 200;
  std::string body = kChatAnswer;
  std::vector<http::Header> headers = {};
  bool held = false;  // until release() or open_gate()
  bool cut = false;   // the connection breaks in the middle of the body

  static constexpr const char* kChatAnswer =
      R"({"id":"chatcmpl-1","object":"chat.completion","choices":[],)"
      R"("usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}})";
};

/// Thread-safe. Listens from construction on; by default every call gets kChatAnswer.
class ScriptedUpstream {
 public:
  using Script = std::function<UpstreamAnswer(const UpstreamCall&)>;

  explicit ScriptedUpstream(const Clock& clock);
  ~ScriptedUpstream();
  ScriptedUpstream(const ScriptedUpstream&) = delete;

  void script(Script script);
  /// Lets go what is held now.
  void release();
  /// Holds nothing any more.
  void open_gate();
  /// Connections break and new ones are refused; start() listens on the same port again.
  void stop();
  void start();

  std::vector<UpstreamCall> calls() const;
  std::size_t call_count() const;
  std::size_t in_progress() const;
  std::size_t most_in_progress() const;
  /// Serves `model` with `max_concurrency` slots.
  UpstreamSettings settings(const std::string& model, std::uint32_t max_concurrency) const;

 private:
  struct Running;

  /// Counts the call in and asks the script.
  UpstreamAnswer begin(UpstreamCall call);
  void end();
  bool gate_open() const;

  const Clock& clock_;
  SystemRandom random_;
  std::uint16_t port_ = 0;
  mutable std::mutex mutex_;  // guards what follows, up to running_
  Script script_;
  std::vector<UpstreamCall> calls_;
  std::size_t in_progress_ = 0;
  std::size_t most_in_progress_ = 0;
  bool gate_open_ = false;
  std::unique_ptr<Running> running_;
};

}  // namespace offpeak
