#include "pipeline/webhooks/webhook_service.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "core/webhook/event.h"
#include "pipeline/webhooks/webhook_fixture.h"
#include "pipeline/webhooks/webhook_signing.h"
#include "platform/crypto/webhook_signature.h"

namespace offpeak {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class WebhookServiceTest : public WebhookTest {
 protected:
  std::string signature_at(const WebhookEndpointId& id, UnixSeconds now) {
    const auto endpoint = service.get(kMine, id);
    return header_of(*signed_request(*endpoint, box, "wh_1", WebhookEvent{.id = "evt_1"}, now),
                     "webhook-signature");
  }
  static std::string expected(const std::string& secret, UnixSeconds now) {
    return webhook_signature(secret,
                             signed_text("wh_1", now, event_payload(WebhookEvent{.id = "evt_1"})));
  }
};

TEST_F(WebhookServiceTest, CreatesWithASecretThatIsStoredSealed) {
  const auto made = make_endpoint();
  EXPECT_TRUE(made.endpoint.id.text().starts_with("whe_"));
  EXPECT_TRUE(made.secret.starts_with("whsec_"));
  EXPECT_EQ(made.endpoint.created_at, made.endpoint.updated_at);
  const auto stored = meta.endpoint(kMine, made.endpoint.id);
  ASSERT_TRUE(stored);
  EXPECT_THAT(stored->sealed_secret, Not(HasSubstr(made.secret.substr(6, 20))));
  EXPECT_EQ(stored->secret_hint, secret_hint(made.secret));
  EXPECT_EQ(service.created(kMine, made.endpoint.id)->secret, made.secret);
  EXPECT_NE(make_endpoint().secret, made.secret);
}

TEST_F(WebhookServiceTest, RefusesWhatTheSenderWouldNotCall) {
  const EndpointChange bad{.name = "n", .url = "https://forbidden/", .event_types = {{"x"}}};
  const auto made = service.create(kMine, bad, RequestMark{});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().param, "url");
  const auto good = make_endpoint();
  EXPECT_FALSE(service.update(kMine, good.endpoint.id, {.url = "https://forbidden/"}));
  EXPECT_EQ(service.get(kMine, good.endpoint.id)->url, good.endpoint.url);
}

TEST_F(WebhookServiceTest, AProjectHasAHundredEndpointsAtMost) {
  for (std::uint32_t i = 0; i < WebhookService::kEndpointsMax; ++i) make_endpoint();
  const EndpointChange more{.name = "n", .url = "https://h/", .event_types = {{"x"}}};
  EXPECT_EQ(service.create(kMine, more, RequestMark{}).error().code,
            "webhook_endpoint_limit_exceeded");
  EXPECT_TRUE(service.create(kOther, more, RequestMark{}));
  const auto page = service.list(kMine, {.limit = 1});
  ASSERT_TRUE(service.remove(kMine, page->data.at(0).id));
  EXPECT_TRUE(service.create(kMine, more, RequestMark{}));
}

TEST_F(WebhookServiceTest, UpdatedAtMovesWithAChangeOnly) {
  const auto made = make_endpoint();
  const auto id = made.endpoint.id;
  const UnixSeconds created = made.endpoint.updated_at;
  clock.advance(10s);
  EXPECT_EQ(service.update(kMine, id, {})->updated_at, created);
  EXPECT_EQ(service.update(kMine, id, {.name = "n"})->updated_at, created) << "the same name";
  ASSERT_TRUE(service.test(kMine, id, "batch.failed"));
  EXPECT_EQ(service.get(kMine, id)->updated_at, created);
  EXPECT_EQ(service.update(kMine, id, {.event_types = {{"batch.expired"}}})->updated_at,
            created + 10s);
  EXPECT_THAT(service.get(kMine, id)->event_types, ElementsAre("batch.expired"));
  clock.advance(10s);
  EXPECT_EQ(service.rotate(kMine, id, false)->endpoint.updated_at, created + 20s);
}

TEST_F(WebhookServiceTest, ARotationThatKeepsTheOldSecretSignsWithBothForADay) {
  const auto made = make_endpoint();
  const auto id = made.endpoint.id;
  const UnixSeconds now = clock.unix_now();
  EXPECT_EQ(signature_at(id, now), expected(made.secret, now));
  const auto rotated = service.rotate(kMine, id, true);
  ASSERT_TRUE(rotated);
  EXPECT_NE(rotated->secret, made.secret);
  EXPECT_NE(rotated->endpoint.secret_hint, made.endpoint.secret_hint);
  for (const UnixSeconds at : {now, now + 24h - 1s}) {
    EXPECT_EQ(signature_at(id, at),
              expected(rotated->secret, at) + " " + expected(made.secret, at));
  }
  EXPECT_EQ(signature_at(id, now + 24h), expected(rotated->secret, now + 24h));
}

TEST_F(WebhookServiceTest, ARotationEndsTheOldSecretAtOnceUnlessAsked) {
  const auto made = make_endpoint();
  const auto kept = service.rotate(kMine, made.endpoint.id, true);
  const auto rotated = service.rotate(kMine, made.endpoint.id, false);
  ASSERT_TRUE(rotated);
  const UnixSeconds now = clock.unix_now();
  EXPECT_EQ(signature_at(made.endpoint.id, now), expected(rotated->secret, now));
}

TEST_F(WebhookServiceTest, ATestSendsASignedSampleWithAFreshId) {
  const auto made = make_endpoint();
  sender.script([](const WebhookRequest&) { return WebhookReply{.status = 418}; });
  EXPECT_EQ(service.test(kMine, made.endpoint.id, "batch.expired"), 418);
  EXPECT_EQ(service.test(kMine, made.endpoint.id, "batch.expired"), 418);
  const auto sent = sender.sent();
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(sent[0].url, made.endpoint.url);
  EXPECT_THAT(sent[0].body, HasSubstr(R"("type":"batch.expired")"));
  EXPECT_EQ(header_of(sent[0], "content-type"), "application/json");
  EXPECT_EQ(header_of(sent[0], "user-agent"), "offpeak/" OFFPEAK_VERSION);
  EXPECT_NE(header_of(sent[0], "webhook-id"), header_of(sent[1], "webhook-id"));
  EXPECT_EQ(header_of(sent[0], "webhook-signature"),
            webhook_signature(made.secret, signed_text(header_of(sent[0], "webhook-id"),
                                                       clock.unix_now(), sent[0].body)));
  EXPECT_TRUE(deliveries(made.endpoint.id).empty());
}

TEST_F(WebhookServiceTest, ATestWithoutAnAnswerIsAnError) {
  const auto made = make_endpoint();
  sender.script([](const WebhookRequest&) { return WebhookReply{.error = "No connection."}; });
  const auto status = service.test(kMine, made.endpoint.id, "batch.failed");
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::unavailable);
  EXPECT_EQ(status.error().message, "The webhook endpoint gave no answer. No connection.");
}

TEST_F(WebhookServiceTest, ASecretUnderAnotherKeyIsSaidAndCanBeRotated) {
  const auto made = make_endpoint();
  const SecretBox other_box(make_secret_key(random), random);
  WebhookService other({meta, clock, random, other_box, sender});
  EXPECT_EQ(other.test(kMine, made.endpoint.id, "batch.failed").error().message, kUnreadableSecret);
  EXPECT_TRUE(other.rotate(kMine, made.endpoint.id, true));
  EXPECT_EQ(other.test(kMine, made.endpoint.id, "batch.failed"), 200);
}

TEST_F(WebhookServiceTest, AnotherProjectSeesNothing) {
  const auto made = make_endpoint();
  end_batch("1");
  const auto id = made.endpoint.id;
  const auto delivery = deliveries(id).at(0).id;
  EXPECT_EQ(service.get(kOther, id).error().kind, ErrorKind::not_found);
  EXPECT_EQ(service.update(kOther, id, {}).error().kind, ErrorKind::not_found);
  EXPECT_EQ(service.rotate(kOther, id, true).error().kind, ErrorKind::not_found);
  EXPECT_EQ(service.test(kOther, id, "batch.failed").error().kind, ErrorKind::not_found);
  EXPECT_EQ(service.remove(kOther, id).error().kind, ErrorKind::not_found);
  EXPECT_EQ(service.deliveries(kOther, id, {}).error().kind, ErrorKind::not_found);
  EXPECT_EQ(service.delivery(kOther, id, delivery).error().kind, ErrorKind::not_found);
  EXPECT_EQ(service.replay(kOther, id, delivery).error().kind, ErrorKind::not_found);
  EXPECT_TRUE(service.list(kOther, {})->data.empty());
}

TEST_F(WebhookServiceTest, ADeliveryBelongsToItsEndpoint) {
  const auto one = make_endpoint();
  const auto two = make_endpoint("https://two.example/", {"batch.expired"});
  end_batch("1");
  const auto delivery = deliveries(one.endpoint.id).at(0).id;
  EXPECT_TRUE(service.delivery(kMine, one.endpoint.id, delivery));
  EXPECT_EQ(service.delivery(kMine, two.endpoint.id, delivery).error().kind, ErrorKind::not_found);
  EXPECT_EQ(service.replay(kMine, two.endpoint.id, delivery).error().kind, ErrorKind::not_found);
}

}  // namespace
}  // namespace offpeak
