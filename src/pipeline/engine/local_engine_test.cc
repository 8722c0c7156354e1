#include "pipeline/engine/local_engine.h"

#include <gmock/gmock.h>
#include <signal.h>
#include <stdlib.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <vector>

#include "pipeline/engine/loopback.h"
#include "platform/process/test_lifeline.h"

namespace offpeak {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

EngineCommand fake_engine(const std::string& mode, const std::string& lifeline) {
  return {.executable = "python3",
          .arguments = {"-S", "-u", OFFPEAK_FAKE_ENGINE, mode, lifeline},
          .model_name = "fake"};
}

EngineTimings quick() {
  return {.first_answer = seconds(20),
          .poll = milliseconds(5),
          .first_backoff = milliseconds(1),
          .max_backoff = milliseconds(20)};
}

class LocalEngineTest : public testing::Test {
 protected:
  LocalEngineTest() {
    std::string name = testing::TempDir() + "offpeak-engine-XXXXXX";
    dir_ = mkdtemp(name.data());
    lifeline_.emplace(dir_ / "lifeline");
  }
  ~LocalEngineTest() override { std::filesystem::remove_all(dir_); }

  std::unique_ptr<LocalEngine> start(const std::string& mode, EngineTimings timings = quick(),
                                     LocalEngine::Listener listener = {}) const {
    return LocalEngine::start(fake_engine(mode, lifeline_->path()), config_, clock_, dir_ / "log",
                              timings, std::move(listener));
  }
  /// The pid that the engine wrote once it was up.
  pid_t engine_pid() const { return static_cast<pid_t>(std::atoi(lifeline_->read_line().c_str())); }

  std::filesystem::path dir_;
  std::optional<Lifeline> lifeline_;
  EngineConfig config_;
  SystemClock clock_;
};

TEST_F(LocalEngineTest, BecomesReadyAndAnswersAtItsUrl) {
  const auto engine = start("serves");
  const Status ready = engine->wait_ready(seconds(20));
  ASSERT_TRUE(ready) << ready.error().message;
  const EngineStatus status = engine->status();
  EXPECT_EQ(status.pid, engine_pid());
  EXPECT_EQ(engine->base_url(), "http://127.0.0.1:" + std::to_string(status.port));
  EXPECT_EQ(health_status(status.port, seconds(5)), 200);
  EXPECT_EQ(engine->model_name(), "fake");
  EXPECT_EQ(engine->slots(), EngineConfig{}.slots);
}

TEST_F(LocalEngineTest, UsesTheConfiguredPort) {
  config_.port = *free_port(0);
  const auto engine = start("serves");
  ASSERT_TRUE(engine->wait_ready(seconds(20)));
  EXPECT_EQ(engine->status().port, config_.port);
}

TEST_F(LocalEngineTest, PortInUseIsSaid) {
  const auto first = start("serves");
  ASSERT_TRUE(first->wait_ready(seconds(20)));
  config_.port = first->status().port;
  const Status second = start("serves")->wait_ready(seconds(20));
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message, HasSubstr("(`engine.port`): bind: Address already in use"));
}

TEST_F(LocalEngineTest, WaitsWhileTheModelLoads) {
  EngineTimings timings = quick();
  timings.first_answer = seconds(10);
  ASSERT_TRUE(start("loads", timings)->wait_ready(seconds(20)));
}

TEST_F(LocalEngineTest, OneFailureIsNotTheEnd) {
  ASSERT_TRUE(start("fails_once")->wait_ready(seconds(20)));
}

TEST_F(LocalEngineTest, RestartsAfterAKillOnTheSamePort) {
  std::vector<EngineState> states;
  auto engine =
      start("serves", quick(), [&](const EngineStatus& now) { states.push_back(now.state); });
  ASSERT_TRUE(engine->wait_ready(seconds(20)));
  const pid_t first = engine_pid();
  const std::string url = engine->base_url();
  kill(first, SIGKILL);
  const pid_t second = engine_pid();
  EXPECT_NE(second, first);
  while (engine->status().pid != second || engine->state() != EngineState::ready) {
    std::this_thread::yield();
  }
  EXPECT_EQ(engine->base_url(), url);
  engine.reset();
  EXPECT_THAT(states, ElementsAre(EngineState::ready, EngineState::restarting, EngineState::ready,
                                  EngineState::stopped));
}

TEST_F(LocalEngineTest, StopEndsIt) {
  const auto engine = start("serves");
  ASSERT_TRUE(engine->wait_ready(seconds(20)));
  engine_pid();
  engine->stop();
  EXPECT_TRUE(lifeline_->all_gone());
  EXPECT_EQ(engine->state(), EngineState::stopped);
  EXPECT_EQ(engine->wait_ready(seconds(1)).error().message, "the engine was stopped");
}

TEST_F(LocalEngineTest, StopDuringTheStartEndsItToo) {
  const auto engine = start("deaf");
  engine_pid();
  engine->stop();
  EXPECT_TRUE(lifeline_->all_gone());
}

TEST_F(LocalEngineTest, StartUpFailureShowsTheLogsLastLines) {
  const auto engine = start("fails");
  const Status ready = engine->wait_ready(seconds(20));
  ASSERT_FALSE(ready);
  EXPECT_EQ(engine->state(), EngineState::failed);
  EXPECT_THAT(ready.error().message,
              AllOf(HasSubstr("exited with status 1 before it was ready"), HasSubstr("line 29\n"),
                    HasSubstr("fake engine: no such model"), Not(HasSubstr("line 9\n"))));
}

TEST_F(LocalEngineTest, SilentEngineIsGivenUp) {
  EngineTimings timings = quick();
  timings.first_answer = milliseconds(100);
  timings.first_starts = 1;
  const auto engine = start("deaf", timings);
  const Status ready = engine->wait_ready(seconds(20));
  ASSERT_FALSE(ready);
  EXPECT_THAT(ready.error().message, HasSubstr("it was not ready after"));
  EXPECT_EQ(engine->status().pid, 0);
}

TEST_F(LocalEngineTest, WaitReadyTimesOut) {
  const auto engine = start("deaf");
  EXPECT_EQ(engine->wait_ready(milliseconds(1)).error().kind, ErrorKind::timeout);
}

TEST(NextBackoff, DoublesToTheCeilingAndBeginsAnewAfterAGoodRun) {
  const EngineTimings timings;
  std::optional<milliseconds> pause;
  std::vector<std::int64_t> pauses;
  for (int i = 0; i < 7; ++i) {
    pause = next_backoff(pause, seconds(3), timings);
    pauses.push_back(std::chrono::floor<seconds>(*pause).count());
  }
  EXPECT_THAT(pauses, ElementsAre(1, 2, 4, 8, 16, 30, 30));
  EXPECT_EQ(next_backoff(pause, seconds(31), timings), seconds(1));
}

// Not a test of its own: the process that ParentKilled starts and kills.
TEST(EngineHost, DISABLED_RunsUntilKilled) {
  const SystemClock clock;
  const auto engine =
      LocalEngine::start(fake_engine(getenv("OFFPEAK_TEST_MODE"), getenv("OFFPEAK_TEST_LIFELINE")),
                         {}, clock, getenv("OFFPEAK_TEST_LOG"), {});
  while (true) pause();
}

class ParentKilledTest : public LocalEngineTest, public testing::WithParamInterface<const char*> {};

TEST_P(ParentKilledTest, TheEngineIsGone) {
  auto host = ChildProcess::start(
      {.executable = "/proc/self/exe",
       .arguments = {"--gtest_also_run_disabled_tests", "--gtest_filter=EngineHost.*"},
       .environment = {{"OFFPEAK_TEST_MODE", GetParam()},
                       {"OFFPEAK_TEST_LIFELINE", lifeline_->path()},
                       {"OFFPEAK_TEST_LOG", dir_ / "log"}},
       .log_file = dir_ / "host.log"});
  ASSERT_TRUE(host) << host.error().message;
  ASSERT_GT(engine_pid(), 0) << host->last_lines(20);
  const SteadyTime killed = clock_.steady_now();
  kill(host->pid(), SIGKILL);
  EXPECT_TRUE(lifeline_->all_gone());
  EXPECT_LT(clock_.steady_now() - killed, seconds(2));
}

INSTANTIATE_TEST_SUITE_P(EachWayAlone, ParentKilledTest,
                         testing::Values("ignores_sigterm", "ignores_stdin"));

}  // namespace
}  // namespace offpeak
