// How rows are run: the whole server against a scripted upstream.
#include "pipeline/dispatch/dispatcher.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "testing/server_fixture.h"

namespace offpeak {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class DispatchTest : public ServerFixture {
 protected:
  static std::string header(const UpstreamCall& call, std::string_view name) {
    return std::string(call.request.header(name));
  }

  /// The cancel arrives when the row has been taken and its attempt has not ended.
  void cancel_while_probing(const std::string& id) {
    server->on_dispatch_loop([&] {
      EXPECT_EQ(cancel(id).status, 200);
      stores.clock.advance(5s);
      server->dispatcher().tick();
    });
  }
};

TEST_F(DispatchTest, AnswersEveryRowOnceAndCounts) {
  start();
  const auto id = run_rows(25);
  ASSERT_TRUE(reaches(id, "completed"));
  EXPECT_EQ(counts(id), (ShownCounts{25, 25, 0}));
  expect_each_row_once(id, 25);
  EXPECT_EQ(upstream.call_count(), 25);
  const auto usage = batch(id).at("usage").as_object();
  EXPECT_EQ(usage.at("input_tokens").to_number<int>(), 75);
  EXPECT_EQ(usage.at("output_tokens").to_number<int>(), 50);
  EXPECT_EQ(usage.at("total_tokens").to_number<int>(), 125);
  EXPECT_TRUE(batch(id).at("error_file_id").is_null());
}

TEST_F(DispatchTest, WaitsAsLongAsRetryAfterAsks) {
  upstream.script([](const UpstreamCall& call) -> UpstreamAnswer {
    if (call.number > 0) return {};
    return {.status = 429, .body = "{}", .headers = {{"retry-after", "20"}}};
  });
  start();
  const auto id = run_rows(1);
  ASSERT_TRUE(advance_until(50ms, [&] { return upstream.call_count() == 2; }));
  const auto calls = upstream.calls();
  EXPECT_GE(calls[1].at - calls[0].at, 20s);
  EXPECT_EQ(header(calls[0], "idempotency-key"), header(calls[1], "idempotency-key"));
  EXPECT_EQ(header(calls[0], "x-offpeak-attempt"), "1");
  EXPECT_EQ(header(calls[1], "x-offpeak-attempt"), "2");
  ASSERT_TRUE(reaches(id, "completed"));
  EXPECT_EQ(counts(id), (ShownCounts{1, 1, 0}));
}

TEST_F(DispatchTest, RetryAfterOfOneRowHoldsBackTheOthersOfThatUpstream) {
  options.upstreams[0].max_concurrency = 1;
  upstream.script([](const UpstreamCall& call) -> UpstreamAnswer {
    if (call.number > 0) return {};
    return {.status = 503, .body = "{}", .headers = {{"retry-after", "20"}}};
  });
  start();
  const auto id = run_rows(3);
  ASSERT_TRUE(advance_until(50ms, [&] { return upstream.call_count() >= 2; }));
  const auto calls = upstream.calls();
  EXPECT_GE(calls[1].at - calls[0].at, 20s);
  ASSERT_TRUE(advance_until(50ms, [&] { return status(id) == "completed"; }));
  expect_each_row_once(id, 3);
}

TEST_F(DispatchTest, GivesTheLastAnswerWhenAttemptsRunOut) {
  options.dispatch.backoff.max_attempts = 3;
  upstream.script([](const UpstreamCall&) -> UpstreamAnswer {
    return {.status = 500,
            .body = R"({"error": {"message":"on fire"}})",
            .headers = {{"x-request-id", "up-7"}}};
  });
  start();
  const auto id = run_rows(1);
  ASSERT_TRUE(advance_until(100ms, [&] { return status(id) == "completed"; }));
  EXPECT_EQ(upstream.call_count(), 3);
  EXPECT_EQ(counts(id), (ShownCounts{1, 0, 1}));
  const auto line = errors(id).at("row-0");
  const auto response = line.at("response").as_object();
  EXPECT_EQ(response.at("status_code").to_number<int>(), 500);
  EXPECT_EQ(response.at("request_id").as_string(), "up-7");
  EXPECT_EQ(response.at("body").at("error").at("message").as_string(), "on fire");
  EXPECT_TRUE(line.at("error").is_null());
  EXPECT_TRUE(batch(id).at("output_file_id").is_null());
}

TEST_F(DispatchTest, DoesNotRepeatAFinalStatus) {
  upstream.script([](const UpstreamCall& call) -> UpstreamAnswer {
    if (call.body.contains("prompt 0001")) {
      return {.status = 400, .body = R"({"error":{"message":"too long"}})"};
    }
    return {};
  });
  start();
  const auto id = run_rows(3);
  ASSERT_TRUE(reaches(id, "completed"));
  EXPECT_EQ(upstream.call_count(), 3);
  EXPECT_EQ(counts(id), (ShownCounts{3, 2, 1}));
  expect_each_row_once(id, 3);
  const auto response = errors(id).at("row-1").at("response").as_object();
  EXPECT_EQ(response.at("status_code").to_number<int>(), 400);
  EXPECT_EQ(response.at("body").at("error").at("message").as_string(), "too long");
}

TEST_F(DispatchTest, A200ThatIsNotJsonEndsAsAnErrorAfterAllAttempts) {
  options.dispatch.backoff.max_attempts = 3;
  upstream.script(
      [](const UpstreamCall&) -> UpstreamAnswer { return {.body = "<html>sign in</html>"}; });
  start();
  const auto id = run_rows(1);
  ASSERT_TRUE(advance_until(100ms, [&] { return status(id) == "completed"; }));
  EXPECT_EQ(upstream.call_count(), 3);
  EXPECT_EQ(counts(id), (ShownCounts{1, 0, 1}));
  const auto line = errors(id).at("row-0");
  EXPECT_TRUE(line.at("response").is_null());
  EXPECT_EQ(line.at("error").at("code").as_string(), "invalid_upstream_response");
}

TEST_F(DispatchTest, AnAnswerThatBreaksOffIsAskedForAgain) {
  upstream.script(
      [](const UpstreamCall& call) -> UpstreamAnswer { return {.cut = call.number == 0}; });
  start();
  const auto id = run_rows(1);
  ASSERT_TRUE(advance_until(100ms, [&] { return status(id) == "completed"; }));
  EXPECT_EQ(upstream.call_count(), 2);
  EXPECT_EQ(counts(id), (ShownCounts{1, 1, 0}));
}

TEST_F(DispatchTest, NeverSendsMoreAtATimeThanMaxConcurrency) {
  constexpr std::size_t kSlotsHere = 3;
  constexpr std::size_t kBatches = 4;
  constexpr std::size_t kRows = 6;
  options.upstreams[0].max_concurrency = kSlotsHere;
  upstream.script([](const UpstreamCall&) -> UpstreamAnswer { return {.held = true}; });
  start();
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < kBatches; ++i) ids.push_back(run_rows(kRows));
  for (std::size_t answered = 0; answered < kBatches * kRows; answered += kSlotsHere) {
    ASSERT_TRUE(eventually([&] { return upstream.call_count() == answered + kSlotsHere; }));
    upstream.release();
  }
  for (const auto& id : ids) {
    ASSERT_TRUE(reaches(id, "completed"));
    expect_each_row_once(id, kRows);
  }
  EXPECT_EQ(upstream.most_in_progress(), kSlotsHere);
}

TEST_F(DispatchTest, AModelsAliasIsReplacedAndEveryOtherByteStays) {
  const std::string before =
      R"({ "n" : 1.0e0,"messages":[{"role":"user", "content":"\u00e9 \/ é"}],)"
      "  \"model\" :\t";
  const std::string after = R"( , "model_kwargs":{"model":"public"},"big":12345678901234567890})";
  options.upstreams[0].aliases = {{"public", "org/served \"7b\""}};
  start();
  const auto id = create_batch(upload(chat_row("row-0", before + R"("public")" + after)));
  ASSERT_TRUE(reaches(id, "completed"));
  EXPECT_EQ(upstream.calls().at(0).body, before + R"("org/served \"7b\"")" + after);
}

TEST_F(DispatchTest, AnAnswersBytesArriveAsTheyWereSent) {
  const std::string body =
      R"({"z":1.50,"a":"\u00e9\/","big":12345678901234567890,"usage":{"prompt_tokens":1}})";
  upstream.script([&](const UpstreamCall&) -> UpstreamAnswer { return {.body = body}; });
  start();
  const auto id = run_rows(1);
  ASSERT_TRUE(reaches(id, "completed"));
  const auto file = std::string(batch(id).at("output_file_id").as_string());
  EXPECT_THAT(client().get("/v1/files/" + file + "/content").body, HasSubstr("\"body\": " + body));
}

TEST_F(DispatchTest, RowsWaitForAnUpstreamThatIsAwayAndComesBack) {
  upstream.script(
      [](const UpstreamCall& call) -> UpstreamAnswer { return {.held = call.number > 0}; });
  options.upstreams[0].max_concurrency = 1;
  start();
  const auto id = run_rows(6);
  ASSERT_TRUE(eventually([&] { return upstream.call_count() == 2; }));
  upstream.stop();
  const auto left_at = stores.clock.steady_now();
  ASSERT_TRUE(advance_until(1s, [&] { return stores.clock.steady_now() - left_at > 20min; }));
  EXPECT_EQ(status(id), "in_progress");
  EXPECT_EQ(counts(id), (ShownCounts{6, 1, 0}));
  upstream.script(nullptr);
  upstream.start();
  ASSERT_TRUE(advance_until(1s, [&] { return status(id) == "completed"; }));
  EXPECT_EQ(counts(id), (ShownCounts{6, 6, 0}));
  expect_each_row_once(id, 6);
}

TEST_F(DispatchTest, RowsOfAnUpstreamThatWasNeverThereEndAfterAWhile) {
  upstream.stop();
  start();
  const auto begin = stores.clock.steady_now();
  const auto id = run_rows(5);
  ASSERT_TRUE(advance_until(500ms, [&] { return status(id) == "completed"; }));
  EXPECT_GE(stores.clock.steady_now() - begin, options.dispatch.never_reached_timeout);
  EXPECT_EQ(counts(id), (ShownCounts{5, 0, 5}));
  expect_each_row_once(id, 5);
  const auto error = errors(id).at("row-0").at("error").as_object();
  EXPECT_EQ(error.at("code").as_string(), "upstream_unreachable");
  EXPECT_THAT(std::string(error.at("message").as_string()), HasSubstr("scripted"));
}

TEST_F(DispatchTest, AProbeWhoseBatchIsCancelledIsFollowedByOthers) {
  start();
  ASSERT_TRUE(reaches(run_rows(1), "completed"));
  upstream.stop();
  for (int i = 0; i < 10; ++i) {
    const auto id = run_rows(1);
    ASSERT_TRUE(reaches(id, "in_progress"));
    for (int ticks = 0; ticks < 5; ++ticks) server->tick();
    cancel_while_probing(id);
    ASSERT_TRUE(reaches(id, "cancelled"));
  }
  upstream.start();
  const auto id = run_rows(3);
  ASSERT_TRUE(advance_until(100ms, [&] { return status(id) == "completed"; }));
}

TEST_F(DispatchTest, TwoUpstreamsShareABatch) {
  ScriptedUpstream second(stores.clock);
  for (auto* each : {&upstream, &second}) {
    each->script([](const UpstreamCall&) -> UpstreamAnswer { return {.held = true}; });
  }
  options.upstreams.push_back(second.settings(std::string(kModel), kSlots));
  start();
  const auto id = run_rows(20);
  ASSERT_TRUE(eventually(
      [&] { return upstream.in_progress() == kSlots && second.in_progress() == kSlots; }));
  upstream.open_gate();
  second.open_gate();
  ASSERT_TRUE(reaches(id, "completed"));
  expect_each_row_once(id, 20);
  EXPECT_EQ(upstream.call_count() + second.call_count(), 20);
  server.reset();
}

TEST_F(DispatchTest, AFullDiskPausesAndLosesNothing) {
  upstream.script([](const UpstreamCall&) -> UpstreamAnswer { return {.held = true}; });
  start();
  const auto id = run_rows(8);
  ASSERT_TRUE(eventually([&] { return upstream.in_progress() == kSlots; }));
  stores.blobs.set_full(true);
  upstream.open_gate();
  ASSERT_TRUE(eventually([&] { return upstream.in_progress() == 0; }));
  for (int i = 0; i < 50; ++i) {
    stores.clock.advance(100ms);
    server->tick();
  }
  EXPECT_EQ(upstream.call_count(), kSlots);
  EXPECT_EQ(counts(id), (ShownCounts{8, 0, 0}));
  EXPECT_EQ(status(id), "in_progress");
  EXPECT_EQ(client().upload(chat_rows(1)).status, 507);
  stores.blobs.set_full(false);
  ASSERT_TRUE(advance_until(100ms, [&] { return status(id) == "completed"; }));
  EXPECT_EQ(counts(id), (ShownCounts{8, 8, 0}));
  EXPECT_EQ(upstream.call_count(), 8);
  expect_each_row_once(id, 8);
  EXPECT_TRUE(server->fatal_errors().empty());
}

}  // namespace
}  // namespace offpeak
