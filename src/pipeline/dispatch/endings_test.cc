// How batches end: cancelled, expired, failed, and completed although the metadata store resists.
#include <gmock/gmock.h>

#include "core/records/transitions.h"
#include "testing/server_fixture.h"

namespace offpeak {
namespace {

using namespace std::chrono_literals;
using testing::Combine;
using testing::HasSubstr;
using testing::Values;

class EndingsTest : public ServerFixture {
 protected:
  /// A batch of `rows` with as many answers held as there are slots.
  std::string run_held(std::size_t rows, const std::string& window = "24h") {
    upstream.script([](const UpstreamCall&) -> UpstreamAnswer { return {.held = true}; });
    start();
    const auto id = create_batch(upload(chat_rows(rows)), window);
    EXPECT_TRUE(eventually([&] { return upstream.in_progress() == kSlots; }));
    return id;
  }

  static std::string code_of(const boost::json::object& line) {
    EXPECT_TRUE(line.at("response").is_null());
    return std::string(line.at("error").at("code").as_string());
  }
};

TEST_F(EndingsTest, CancelLetsWhatIsInFlightEndAndSendsNothingMore) {
  const auto id = run_held(7);
  const auto reply = cancel(id);
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.json().at("status").as_string(), "cancelling");
  server->tick();
  EXPECT_EQ(status(id), "cancelling");
  upstream.open_gate();
  ASSERT_TRUE(reaches(id, "cancelled"));
  EXPECT_EQ(upstream.call_count(), kSlots);
  EXPECT_EQ(counts(id), (ShownCounts{7, kSlots, 0}));
  expect_each_row_once(id, 7);
  EXPECT_EQ(output(id).size(), kSlots);
  for (const auto& [custom_id, line] : errors(id)) EXPECT_EQ(code_of(line), "batch_cancelled");
  EXPECT_TRUE(batch(id).at("cancelled_at").is_number());
  EXPECT_EQ(cancel(id).json().at("status").as_string(), "cancelled");
}

TEST_F(EndingsTest, CancelWhileARowWaitsForItsRetry) {
  upstream.script([](const UpstreamCall&) -> UpstreamAnswer { return {.status = 500}; });
  start();
  const auto id = run_rows(3);
  ASSERT_TRUE(eventually([&] { return upstream.call_count() >= kSlots; }));
  cancel(id);
  ASSERT_TRUE(reaches(id, "cancelled"));
  expect_each_row_once(id, 3);
  EXPECT_EQ(errors(id).size(), 3);
}

TEST_F(EndingsTest, CancelWhileTheInputIsBeingChecked) {
  options.upstreams[0].models.clear();  // intake waits for the models to be discovered
  start();
  const auto id = run_rows(4);
  EXPECT_EQ(status(id), "validating");
  EXPECT_EQ(cancel(id).json().at("status").as_string(), "cancelling");
  server->models().discovered(0, {std::string(kModel)});
  ASSERT_TRUE(reaches(id, "cancelled"));
  EXPECT_EQ(upstream.call_count(), 0);
  EXPECT_EQ(counts(id), (ShownCounts{0, 0, 0}));
  EXPECT_TRUE(batch(id).at("output_file_id").is_null());
  EXPECT_TRUE(batch(id).at("error_file_id").is_null());
}

TEST_F(EndingsTest, CancelInTheMomentTheBatchStarts) {
  upstream.stop();  // a batch whose cancel is lost would wait for it
  start();
  const auto file = upload(chat_rows(2));
  const auto project = stores.meta.projects().value().at(0).id;
  for (int i = 0; i < 20; ++i) {
    const BatchId id(create_batch(file));
    ASSERT_TRUE(eventually([&] {
      for (int tries = 0; tries < 1000; ++tries) {
        if (stores.meta.batch(project, id).value().status == BatchStatus::in_progress) return true;
      }
      return false;
    }));
    ASSERT_TRUE(server->batches().cancel(project, id).has_value());
    ASSERT_TRUE(reaches(id.text(), "cancelled"));
    EXPECT_EQ(errors(id.text()).size(), 2);
  }
}

TEST_F(EndingsTest, CancelOfABatchThatWaitsBehindAnother) {
  options.dispatch.open_batches_max = 1;
  const auto running = run_held(4);
  const auto waiting = run_rows(3);
  ASSERT_TRUE(reaches(waiting, "in_progress"));
  cancel(waiting);
  ASSERT_TRUE(reaches(waiting, "cancelled"));
  EXPECT_EQ(errors(waiting).size(), 3);
  EXPECT_EQ(upstream.call_count(), kSlots);
  upstream.open_gate();
  ASSERT_TRUE(reaches(running, "completed"));
}

TEST_F(EndingsTest, CancelThatTheDispatcherHasNotHeardOf) {
  options.dispatch.open_batches_max = 1;
  const auto running = run_held(kSlots);
  const auto waiting = run_rows(3);
  ASSERT_TRUE(reaches(waiting, "in_progress"));
  const auto stored = stores.meta.unfinished_batches().value().at(1);
  ASSERT_EQ(stored.id.text(), waiting);
  const auto cancelling = request_cancel(stored, stores.clock.unix_now());
  ASSERT_TRUE(stores.meta.update_batch(cancelling.value()).has_value());
  upstream.open_gate();
  ASSERT_TRUE(reaches(running, "completed"));
  ASSERT_TRUE(reaches(waiting, "cancelled"));
  EXPECT_EQ(upstream.call_count(), kSlots);
  EXPECT_EQ(errors(waiting).size(), 3);
}

TEST_F(EndingsTest, AFinishedBatchCannotBeCancelled) {
  start();
  const auto id = run_rows(1);
  ASSERT_TRUE(reaches(id, "completed"));
  const auto reply = cancel(id);
  EXPECT_EQ(reply.status, 409);
  EXPECT_EQ(status(id), "completed");
}

TEST_F(EndingsTest, ExpiryBreaksOffWhatIsInFlight) {
  upstream.script([](const UpstreamCall& call) -> UpstreamAnswer {
    return {.held = !call.body.contains("prompt 0000")};
  });
  start();
  const auto id = create_batch(upload(chat_rows(6)), "1h");
  ASSERT_TRUE(eventually([&] { return upstream.call_count() == kSlots + 1; }));
  ASSERT_TRUE(eventually([&] { return counts(id).completed == 1; }));
  stores.clock.advance(1h - 1s);
  server->tick();
  EXPECT_EQ(status(id), "in_progress");
  ASSERT_TRUE(advance_until(1s, [&] { return status(id) == "expired"; }));
  EXPECT_EQ(upstream.call_count(), kSlots + 1);
  EXPECT_EQ(counts(id), (ShownCounts{6, 1, 0}));
  expect_each_row_once(id, 6);
  EXPECT_TRUE(output(id).contains("row-0"));
  for (const auto& [custom_id, line] : errors(id)) EXPECT_EQ(code_of(line), "batch_expired");
  EXPECT_TRUE(batch(id).at("expired_at").is_number());
}

TEST_F(EndingsTest, ABatchThatNeverCameToRunExpires) {
  options.dispatch.open_batches_max = 1;
  const auto running = run_held(4, "24h");
  const auto waiting = create_batch(upload(chat_rows(3)), "1h");
  ASSERT_TRUE(reaches(waiting, "in_progress"));
  stores.clock.advance(1h);
  ASSERT_TRUE(advance_until(1s, [&] { return status(waiting) == "expired"; }));
  EXPECT_EQ(errors(waiting).size(), 3);
  EXPECT_EQ(status(running), "in_progress");
}

TEST_F(EndingsTest, AnUnknownInputFileFailsTheBatch) {
  start();
  const auto id = create_batch("file-000000000000000000000000");
  ASSERT_TRUE(reaches(id, "failed"));
  const auto shown = batch(id);
  const auto& error = shown.at("errors").at("data").at(0).as_object();
  EXPECT_THAT(std::string(error.at("message").as_string()),
              HasSubstr("file-000000000000000000000000"));
  EXPECT_EQ(error.at("param").as_string(), "file_id");
  EXPECT_EQ(counts(id), (ShownCounts{0, 0, 0}));
}

TEST_F(EndingsTest, AModelThatNobodyServesFailsTheBatch) {
  start();
  const auto id = create_batch(upload(chat_row("a", R"({"model":"other","messages":[]})")));
  ASSERT_TRUE(reaches(id, "failed"));
  const auto shown = batch(id);
  EXPECT_EQ(shown.at("errors").at("data").at(0).at("code").as_string(), "model_not_found");
}

enum class When { completing, cancelling, expiring };

class ResistingStoreTest : public EndingsTest,
                           public testing::WithParamInterface<std::tuple<ErrorKind, When>> {};

TEST_P(ResistingStoreTest, TheBatchEndsLaterWhenTheMetadataStoreDoesNotTakeItsEnd) {
  const auto [kind, when] = GetParam();
  const auto id = run_held(kSlots, "1h");
  if (when == When::cancelling) cancel(id);
  stores.meta.fail_writes(Error{kind, "refused by the test"});
  if (when == When::expiring) {
    stores.clock.advance(1h);
    server->tick();
  }
  upstream.open_gate();
  const bool has_answers = when != When::expiring;
  if (has_answers) {
    ASSERT_TRUE(eventually([&] { return counts(id).completed == kSlots; }));
  }
  const auto log_shows = status(id);
  EXPECT_EQ(log_shows, when == When::cancelling ? "cancelling" : "in_progress");
  // The counts that were shown stay while the store resists.
  for (int i = 0; i < 20; ++i) {
    server->tick();
    if (has_answers) {
      ASSERT_EQ(counts(id).completed, kSlots);
    }
  }
  stores.meta.fail_writes(std::nullopt);
  const std::string end = when == When::completing   ? "completed"
                          : when == When::cancelling ? "cancelled"
                                                     : "expired";
  ASSERT_TRUE(reaches(id, end));
  expect_each_row_once(id, kSlots);
  EXPECT_EQ(counts(id), (ShownCounts{kSlots, has_answers ? kSlots : 0, 0}));
}

INSTANTIATE_TEST_SUITE_P(Kinds, ResistingStoreTest,
                         Combine(Values(ErrorKind::storage_full, ErrorKind::internal,
                                        ErrorKind::unavailable),
                                 Values(When::completing, When::cancelling, When::expiring)));

TEST_F(EndingsTest, ADiskThatIsFullAtTheEndDelaysTheEnd) {
  const auto id = run_held(4);
  cancel(id);
  stores.blobs.set_full(true);
  upstream.open_gate();
  ASSERT_TRUE(eventually([&] { return upstream.in_progress() == 0; }));
  for (int i = 0; i < 20; ++i) {
    stores.clock.advance(100ms);
    server->tick();
  }
  EXPECT_EQ(status(id), "cancelling");
  stores.blobs.set_full(false);
  ASSERT_TRUE(advance_until(100ms, [&] { return status(id) == "cancelled"; }));
  EXPECT_EQ(counts(id), (ShownCounts{4, kSlots, 0}));
  expect_each_row_once(id, 4);
}

}  // namespace
}  // namespace offpeak
