// Requests that are sent again: by Idempotency-Key, and by the SDKs' retry counter.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "api/repeats.h"
#include "testing/server_fixture.h"

namespace offpeak {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

std::string id_of(const TestReply& reply) {
  return std::string(reply.json().at("id").as_string());
}

std::string code_of(const TestReply& reply) {
  return std::string(reply.json().at("error").at("code").as_string());
}

class RepeatsTest : public ServerFixture {
 protected:
  RepeatsTest() {
    start();
    file = upload(chat_rows(1));
  }

  std::string body(std::string_view window = "24h") const {
    return fmt::format(
        R"({{"input_file_id":"{}","endpoint":"/v1/chat/completions","completion_window":"{}"}})",
        file, window);
  }
  TestReply create(const std::vector<http::Header>& headers, std::string_view window = "24h") {
    return client().call("POST", "/v1/batches", body(window), headers);
  }
  std::size_t batches() {
    return client().get("/v1/batches?limit=100").json().at("data").as_array().size();
  }
  TestReply upload_form(std::string_view boundary, std::string_view content,
                        std::vector<http::Header> headers) {
    headers.push_back({"Content-Type", fmt::format("multipart/form-data; boundary={}", boundary)});
    const std::string form = fmt::format(
        "--{0}\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n--{0}\r\n"
        "Content-Disposition: form-data; name=\"file\"; filename=\"a.jsonl\"\r\n\r\n{1}\r\n"
        "--{0}--\r\n",
        boundary, content);
    return client().call("POST", "/v1/files", form, headers);
  }

  std::string file;
};

TEST_F(RepeatsTest, AKeyGivesTheSameReplyForADay) {
  const auto first = create({{"Idempotency-Key", "night-1"}});
  ASSERT_EQ(first.status, 200) << first.body;
  ASSERT_TRUE(reaches(id_of(first), "completed"));
  const auto second = create({{"idempotency-key", "night-1"}});
  EXPECT_EQ(second.status, 200);
  EXPECT_EQ(second.body, first.body) << "the reply of then, not the batch of now";
  EXPECT_EQ(second.header("idempotent-replayed"), "true");
  EXPECT_EQ(batches(), 1u);
  stores.clock.advance(24h + 1s);
  EXPECT_NE(id_of(create({{"Idempotency-Key", "night-1"}})), id_of(first));
  EXPECT_EQ(batches(), 2u);
}

TEST_F(RepeatsTest, AKeyBelongsToOneRequest) {
  ASSERT_EQ(create({{"Idempotency-Key", "k"}}).status, 200);
  const auto other = create({{"Idempotency-Key", "k"}}, "48h");
  EXPECT_EQ(other.status, 400);
  EXPECT_EQ(code_of(other), "idempotency_key_reused");
  EXPECT_EQ(batches(), 1u);
  const auto cancel =
      client().call("POST", "/v1/batches/batch_x/cancel", "", {{"Idempotency-Key", "k"}});
  EXPECT_EQ(cancel.status, 400);
}

TEST_F(RepeatsTest, AKeyOfAnotherProjectIsAnotherKey) {
  ASSERT_EQ(create({{"Idempotency-Key", "k"}}).status, 200);
  const auto theirs = stranger().call("POST", "/v1/batches", body(), {{"Idempotency-Key", "k"}});
  EXPECT_EQ(theirs.status, 200);
  EXPECT_EQ(theirs.header("idempotent-replayed"), "");
  EXPECT_EQ(batches(), 1u);
}

TEST_F(RepeatsTest, RefusalsAreKeptToo) {
  const auto first = create({{"Idempotency-Key", "k"}}, "5m");
  ASSERT_EQ(first.status, 400);
  const auto second = create({{"Idempotency-Key", "k"}}, "5m");
  EXPECT_EQ(second.status, 400);
  EXPECT_EQ(second.body, first.body);
  EXPECT_EQ(second.header("idempotent-replayed"), "true");
}

TEST_F(RepeatsTest, AKeyIsRememberedOverARestart) {
  const auto first = create({{"Idempotency-Key", "k"}});
  crash();
  start();
  EXPECT_EQ(create({{"Idempotency-Key", "k"}}).body, first.body);
  EXPECT_EQ(batches(), 1u);
}

TEST_F(RepeatsTest, AKeyMustBeShortAndPrintable) {
  for (const auto& key : {std::string(256, 'x'), std::string("a b"), std::string("\xc3\xa4")}) {
    const auto reply = create({{"Idempotency-Key", key}});
    EXPECT_EQ(reply.status, 400) << key;
  }
  EXPECT_EQ(create({{"Idempotency-Key", std::string(255, 'x')}}).status, 200);
  EXPECT_EQ(batches(), 1u);
}

TEST_F(RepeatsTest, AnSdksRetryFindsWhatTheLostReplyMade) {
  const auto first = create({{"X-Stainless-Retry-Count", "0"}});
  ASSERT_TRUE(reaches(id_of(first), "completed"));
  const auto again = create({{"x-stainless-retry-count", "1"}});
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(id_of(again), id_of(first));
  EXPECT_EQ(id_of(create({{"x-stainless-retry-count", "2"}})), id_of(first));
  EXPECT_EQ(batches(), 1u);
  EXPECT_NE(id_of(create({{"x-stainless-retry-count", "0"}})), id_of(first))
      << "a first try is a new request, however alike";
  EXPECT_EQ(batches(), 2u);
}

TEST_F(RepeatsTest, ARetryOfSomethingElseMakesIt) {
  ASSERT_EQ(create({}).status, 200);
  EXPECT_EQ(create({{"x-stainless-retry-count", "1"}}, "48h").status, 200);
  EXPECT_EQ(batches(), 2u);
  stores.clock.advance(16min);
  EXPECT_EQ(create({{"x-stainless-retry-count", "1"}}, "48h").status, 200);
  EXPECT_EQ(batches(), 3u) << "too long ago for a retry";
}

TEST_F(RepeatsTest, UploadsAreComparedByWhatTheySay) {
  const auto first = upload_form("b1", chat_rows(2), {});
  ASSERT_EQ(first.status, 200) << first.body;
  const auto again = upload_form("b2", chat_rows(2), {{"x-stainless-retry-count", "1"}});
  EXPECT_EQ(id_of(again), id_of(first));
  const auto other = upload_form("b3", chat_rows(3), {{"x-stainless-retry-count", "1"}});
  EXPECT_NE(id_of(other), id_of(first));
  const auto keyed = upload_form("b4", chat_rows(4), {{"Idempotency-Key", "up"}});
  EXPECT_EQ(upload_form("b5", chat_rows(4), {{"Idempotency-Key", "up"}}).body, keyed.body);
  EXPECT_EQ(upload_form("b6", chat_rows(5), {{"Idempotency-Key", "up"}}).status, 400);
}

TEST_F(RepeatsTest, ARetryAfterTheObjectIsGoneMakesANewOne) {
  const auto first = upload_form("b1", chat_rows(2), {});
  ASSERT_EQ(client().call("DELETE", "/v1/files/" + id_of(first)).status, 200);
  const auto again = upload_form("b1", chat_rows(2), {{"x-stainless-retry-count", "1"}});
  EXPECT_EQ(again.status, 200);
  EXPECT_NE(id_of(again), id_of(first));
}

class NoBody final : public http::RequestBody {
 public:
  Task<Result<std::string_view>> read() override { co_return std::string_view(); }
  void when_gone(std::function<void()>) override {}
};

TEST(Repeats, ARetryThatOvertakesTheFirstTryIsToldToWait) {
  MemoryMetaStore meta;
  ManualClock clock{std::chrono::sys_days(std::chrono::year(2026) / 1 / 1)};
  SystemRandom random;
  Workers workers{1};
  const SecretBox box({}, random);
  Repeats repeats(meta, clock, workers, box);
  const Route route{.method = "POST",
                    .pattern = "/v1/batches",
                    .doc = {},
                    .serve = {},
                    .again = [](Call&, const std::string&) -> Result<http::Response> {
                      return http::Response();
                    }};
  http::Request request{.method = "POST", .target = "/v1/batches"};
  http::Request again = request;
  again.headers.push_back({"x-stainless-retry-count", "1"});
  NoBody body;
  Call first{request, body, route, repeats};
  EXPECT_FALSE(repeats.answered(first, "{}"));
  Call retry{again, body, route, repeats};
  const auto told = repeats.answered(retry, "{}");
  ASSERT_TRUE(told);
  EXPECT_EQ(told->status, 409);
  EXPECT_EQ(http::find_header(told->headers, "retry-after"), "1");
  EXPECT_EQ(http::find_header(told->headers, "x-should-retry"), "");
  repeats.ended(retry);
  Call other{again, body, route, repeats};
  EXPECT_FALSE(repeats.answered(other, "{ }")) << "another body";
  repeats.ended(other);
  repeats.ended(first);
  Call late{again, body, route, repeats};
  EXPECT_FALSE(repeats.answered(late, "{}")) << "the first try made nothing";
}

TEST_F(RepeatsTest, TellsHowMuchIsLeftAndRefusesMore) {
  options.rate_limits = {.requests_per_minute = 3, .tokens_per_minute = 100};
  start();
  const auto first = client().get("/v1/models");
  EXPECT_EQ(first.header("x-ratelimit-limit-requests"), "3");
  EXPECT_EQ(first.header("x-ratelimit-remaining-requests"), "2");
  EXPECT_EQ(first.header("x-ratelimit-reset-requests"), "20s");
  client().get("/v1/models");
  client().get("/v1/models");
  const auto refused = client().get("/v1/models");
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(code_of(refused), "rate_limit_exceeded");
  EXPECT_EQ(refused.json().at("error").at("type").as_string(), "requests");
  EXPECT_THAT(refused.body, HasSubstr("Limit 3, Used 3, Requested 1"));
  EXPECT_EQ(refused.header("retry-after"), "20");
  EXPECT_EQ(stranger().get("/v1/models").status, 200) << "another project has its own";
  stores.clock.advance(20s);
  EXPECT_EQ(client().get("/v1/models").status, 200);
}

}  // namespace
}  // namespace offpeak
