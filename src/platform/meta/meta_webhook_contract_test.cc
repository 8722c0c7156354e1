// The contract of webhook_store.h, held against every implementation.
#include "platform/meta/meta_contract.h"

namespace offpeak::meta_test {
namespace {

using testing::ElementsAre;
using testing::MatchesRegex;

const WebhookEndpointId kHook("we_1");

WebhookEndpoint endpoint_record(std::string id, const ProjectId& project = kMine) {
  return {.id = WebhookEndpointId(std::move(id)),
          .project = project,
          .created_at = at(50),
          .updated_at = at(50),
          .name = "hook",
          .url = "https://example.com/hook",
          .event_types = {"batch.completed", "batch.failed"},
          .sealed_secret = std::string("\0\xff sealed", 9),
          .secret_hint = "whsec_…a1B2"};
}

const BatchId kBatch("batch_0a1b");

/// kMine has kHook, kOther a twin of it; kMine has kBatch.
template <class Fixture>
class MetaWebhookContract : public MetaContract<Fixture> {
 protected:
  MetaWebhookContract() {
    EXPECT_TRUE(this->store().insert_endpoint(endpoint_record("we_1"), {}));
    EXPECT_TRUE(this->store().insert_endpoint(endpoint_record("we_other", kOther), {}));
    EXPECT_TRUE(this->store().insert_batch(batch_record(kBatch.text())));
  }

  BatchRecord ended(BatchStatus status, const BatchId& id = kBatch) {
    BatchRecord batch = with_status(this->store().batch(kMine, id).value(), status);
    batch.completed_at = batch.failed_at = batch.cancelled_at = batch.expired_at = at(200);
    return batch;
  }

  /// Ends a new batch, which queues its event.
  WebhookDelivery queue(const std::string& batch, int when = 200) {
    EXPECT_TRUE(this->store().insert_batch(batch_record(batch)));
    BatchRecord next = ended(BatchStatus::completed, BatchId(batch));
    next.completed_at = at(when);
    EXPECT_TRUE(this->store().update_batch(next));
    return this->store().deliveries(kMine, kHook, {})->data.at(0);
  }

  std::vector<WebhookDelivery> due(UnixSeconds now = at(1000), std::size_t limit = 99,
                                   std::size_t per_endpoint = 99) {
    return this->store().due_deliveries(now, limit, per_endpoint).value();
  }

  Names endpoint_page(const ListQuery& query, bool has_more = false) {
    const auto page = this->store().endpoints(kMine, query).value();
    EXPECT_EQ(page.has_more, has_more);
    return ids(page.data);
  }

  Names batches_of(const Page<WebhookDelivery>& page) {
    Names names;
    for (const auto& delivery : page.data) names.push_back(delivery.batch.text());
    return names;
  }
};
TYPED_TEST_SUITE(MetaWebhookContract, Stores);

TYPED_TEST(MetaWebhookContract, EveryFieldOfAnEndpointComesBack) {
  WebhookEndpoint full = endpoint_record("we_2");
  full.sealed_old_secret = "old";
  full.old_secret_until = at(86400);
  full.event_types = {};
  ASSERT_TRUE(this->store().insert_endpoint(full, {}));
  EXPECT_EQ(this->store().endpoint(kMine, full.id).value(), full);
  EXPECT_EQ(this->store().endpoint(kMine, kHook).value(), endpoint_record("we_1"));
}

TYPED_TEST(MetaWebhookContract, EndpointIdIsTakenOnceAndItsProjectMustExist) {
  auto& store = this->store();
  EXPECT_EQ(kind_of(store.insert_endpoint(endpoint_record("we_1"), {})), ErrorKind::conflict);
  EXPECT_EQ(kind_of(store.insert_endpoint(endpoint_record("x", ProjectId("nobody")), {})),
            ErrorKind::not_found);
}

TYPED_TEST(MetaWebhookContract, AnotherProjectsEndpointIsUnknown) {
  auto& store = this->store();
  const WebhookEndpointId theirs("we_other");
  WebhookEndpoint stolen = endpoint_record("we_other");
  stolen.url = "https://evil.example";
  EXPECT_EQ(message_of(store.endpoint(kMine, theirs)), "No such webhook endpoint: we_other");
  EXPECT_EQ(message_of(store.endpoint(kMine, WebhookEndpointId("x"))),
            "No such webhook endpoint: x");
  EXPECT_EQ(kind_of(store.update_endpoint(stolen)), ErrorKind::not_found);
  EXPECT_EQ(kind_of(store.delete_endpoint(kMine, theirs)), ErrorKind::not_found);
  EXPECT_EQ(store.endpoint(kOther, theirs).value(), endpoint_record("we_other", kOther));
}

TYPED_TEST(MetaWebhookContract, UpdateChangesAllButIdentity) {
  WebhookEndpoint next = endpoint_record("we_1");
  next.created_at = at(99);
  next.updated_at = at(60);
  next.name = "renamed";
  next.url = "https://example.com/other";
  next.event_types = {"batch.expired"};
  next.sealed_secret = "new";
  next.secret_hint = "hint";
  next.sealed_old_secret = "before";
  next.old_secret_until = at(500);
  ASSERT_TRUE(this->store().update_endpoint(next));
  next.created_at = at(50);
  EXPECT_EQ(this->store().endpoint(kMine, kHook).value(), next);
}

TYPED_TEST(MetaWebhookContract, EndpointsAreListedInOrderAndDeletedOnesKeepTheirPlace) {
  auto& store = this->store();
  for (const char* id : {"we_2", "we_3"}) {
    ASSERT_TRUE(store.insert_endpoint(endpoint_record(id), {}));
  }
  EXPECT_EQ(this->endpoint_page({}), (Names{"we_3", "we_2", "we_1"}));
  EXPECT_EQ(this->endpoint_page({.limit = 2}, true), (Names{"we_3", "we_2"}));
  ASSERT_TRUE(store.delete_endpoint(kMine, WebhookEndpointId("we_2")));
  EXPECT_EQ(this->endpoint_page({}), (Names{"we_3", "we_1"}));
  EXPECT_EQ(this->endpoint_page({.after = "we_2"}), Names{"we_1"});
  EXPECT_EQ(this->endpoint_page({.after = "we_2", .order = SortOrder::oldest_first}),
            Names{"we_3"});
  EXPECT_EQ(this->endpoint_page({.after = "we_other"}), Names{});
  EXPECT_EQ(this->endpoint_page({.after = "nothing"}), Names{});
  EXPECT_EQ(kind_of(store.endpoint(kMine, WebhookEndpointId("we_2"))), ErrorKind::not_found);
  EXPECT_EQ(kind_of(store.delete_endpoint(kMine, WebhookEndpointId("we_2"))), ErrorKind::not_found);
  EXPECT_EQ(kind_of(store.update_endpoint(endpoint_record("we_2"))), ErrorKind::not_found);
  EXPECT_EQ(kind_of(store.insert_endpoint(endpoint_record("we_2"), {})), ErrorKind::conflict);
}

TYPED_TEST(MetaWebhookContract, EndOfABatchQueuesItsEventForEachSubscriber) {
  auto& store = this->store();
  WebhookEndpoint deaf = endpoint_record("we_2");
  deaf.event_types = {"batch.failed"};
  ASSERT_TRUE(store.insert_endpoint(deaf, {}));
  ASSERT_TRUE(store.insert_endpoint(endpoint_record("we_3"), {}));
  ASSERT_TRUE(store.insert_endpoint(endpoint_record("we_4"), {}));
  ASSERT_TRUE(store.delete_endpoint(kMine, WebhookEndpointId("we_4")));
  ASSERT_TRUE(store.update_batch(this->ended(BatchStatus::completed)));

  const auto due = this->due();
  ASSERT_EQ(due.size(), 2);
  EXPECT_THAT(due[0].id.text(), MatchesRegex("whd_[0-9a-f]{32}"));
  const WebhookDelivery expected{.id = due[0].id,
                                 .project = kMine,
                                 .endpoint = kHook,
                                 .event_id = "evt_0a1b",
                                 .webhook_id = "wh_0a1b",
                                 .event_type = "batch.completed",
                                 .batch = kBatch,
                                 .event_at = at(200),
                                 .next_attempt_at = at(200)};
  EXPECT_EQ(due[0], expected);
  EXPECT_EQ(due[1].endpoint, WebhookEndpointId("we_3"));
  EXPECT_NE(due[1].id, due[0].id);
  EXPECT_EQ(store.delivery(kMine, due[0].id).value(), expected);
}

TYPED_TEST(MetaWebhookContract, EveryTerminalStatusIsItsEvent) {
  WebhookEndpoint all = endpoint_record("we_1");
  all.event_types = {"batch.completed", "batch.failed", "batch.expired", "batch.cancelled"};
  ASSERT_TRUE(this->store().update_endpoint(all));
  Names events;
  for (const auto status : {BatchStatus::failed, BatchStatus::expired, BatchStatus::cancelled}) {
    const std::string id = fmt::format("b{}", events.size());
    ASSERT_TRUE(this->store().insert_batch(batch_record(id)));
    ASSERT_TRUE(this->store().update_batch(this->ended(status, BatchId(id))));
    events.push_back(this->due().back().event_type);
  }
  EXPECT_EQ(events, (Names{"batch.failed", "batch.expired", "batch.cancelled"}));
}

TYPED_TEST(MetaWebhookContract, OnlyAnEndThatIsStoredQueuesAnEvent) {
  auto& store = this->store();
  ASSERT_TRUE(store.insert_batch(with_status(batch_record("born"), BatchStatus::completed)));
  const BatchRecord stale = this->ended(BatchStatus::completed);
  ASSERT_TRUE(
      store.update_batch(with_status(batch_record(kBatch.text()), BatchStatus::in_progress)));
  EXPECT_EQ(kind_of(store.update_batch(stale)), ErrorKind::conflict);
  EXPECT_TRUE(this->due().empty());
  EXPECT_EQ(store.next_delivery_at().value(), std::nullopt);
  ASSERT_TRUE(store.update_batch(this->ended(BatchStatus::completed)));
  EXPECT_EQ(kind_of(store.update_batch(this->ended(BatchStatus::failed))), ErrorKind::conflict);
  EXPECT_EQ(this->due().size(), 1);
}

TYPED_TEST(MetaWebhookContract, FinishQueuesTheEventOrChangesNothing) {
  auto& store = this->store();
  const Lease lease = store.acquire_lease(kBatch, WorkerId("w"), 1, at(1), 30s).value();
  Lease lost = lease;
  ++lost.epoch;
  const BatchRecord end = this->ended(BatchStatus::completed);
  EXPECT_EQ(kind_of(store.finish_batch(end, {}, lost)), ErrorKind::conflict);
  EXPECT_TRUE(this->due().empty());
  ASSERT_TRUE(store.finish_batch(end, {}, lease));
  EXPECT_EQ(this->due().size(), 1);
}

TYPED_TEST(MetaWebhookContract, ABacklogOfOneEndpointDoesNotHideTheOthers) {
  for (int i = 0; i < 5; ++i) this->queue(fmt::format("batch_{}", i), 200 + i);
  WebhookEndpoint late = endpoint_record("we_late");
  ASSERT_TRUE(this->store().insert_endpoint(late, {}));
  this->queue("batch_late", 300);
  EXPECT_EQ(this->batches_of({this->due(at(1000), 99, 2)}),
            (Names{"batch_0", "batch_1", "batch_late"}));
  EXPECT_EQ(this->batches_of({this->due(at(1000), 2, 2)}), (Names{"batch_0", "batch_1"}));
  EXPECT_EQ(this->due(at(1000), 99, 99).size(), 7);
}

TYPED_TEST(MetaWebhookContract, DueDeliveriesComeMostOverdueFirst) {
  auto& store = this->store();
  WebhookDelivery late = this->queue("batch_late", 300);
  this->queue("batch_early", 200);
  this->queue("batch_same", 200);
  EXPECT_EQ(store.next_delivery_at().value(), at(200));
  EXPECT_EQ(this->batches_of({this->due()}), (Names{"batch_early", "batch_same", "batch_late"}));
  EXPECT_EQ(this->batches_of({this->due(at(299))}), (Names{"batch_early", "batch_same"}));
  EXPECT_EQ(this->batches_of({this->due(at(300), 1)}), Names{"batch_early"});
  EXPECT_TRUE(this->due(at(199)).empty());
  late.next_attempt_at = at(150);
  ASSERT_TRUE(store.record_attempt(late, {.at = at(301)}));
  EXPECT_EQ(this->due().at(0).batch, BatchId("batch_late"));
}

TYPED_TEST(MetaWebhookContract, AttemptsAreLoggedWithTheNewState) {
  auto& store = this->store();
  WebhookDelivery delivery = this->queue("batch_1");
  const DeliveryAttempt refused{.at = at(201), .error = "connection refused"};
  const DeliveryAttempt accepted{.at = at(210), .status = 204, .duration_ms = 17};
  delivery.attempts = 1;
  delivery.next_attempt_at = at(206);
  ASSERT_TRUE(store.record_attempt(delivery, refused));
  EXPECT_EQ(store.delivery(kMine, delivery.id).value(), delivery);
  EXPECT_EQ(store.next_delivery_at().value(), at(206));
  delivery.attempts = 2;
  delivery.state = DeliveryState::delivered;
  ASSERT_TRUE(store.record_attempt(delivery, accepted));
  EXPECT_EQ(store.delivery(kMine, delivery.id).value(), delivery);
  EXPECT_TRUE(this->due().empty());
  EXPECT_EQ(store.next_delivery_at().value(), std::nullopt);
  EXPECT_THAT(store.attempts(kMine, delivery.id).value(), ElementsAre(refused, accepted));
  delivery.id = WebhookDeliveryId("whd_none");
  EXPECT_EQ(kind_of(store.record_attempt(delivery, refused)), ErrorKind::not_found);
}

TYPED_TEST(MetaWebhookContract, DeliveriesAreListedByEndpointOrAll) {
  auto& store = this->store();
  const auto first = this->queue("batch_1");
  ASSERT_TRUE(store.insert_endpoint(endpoint_record("we_2"), {}));
  this->queue("batch_2");
  const auto of_first = store.deliveries(kMine, kHook, {}).value();
  EXPECT_EQ(this->batches_of(of_first), (Names{"batch_2", "batch_1"}));
  EXPECT_EQ(store.deliveries(kMine, {}, {})->data.size(), 3);
  const auto page = store.deliveries(kMine, {}, {.limit = 2}).value();
  EXPECT_TRUE(page.has_more);
  EXPECT_EQ(page.data[0].endpoint, WebhookEndpointId("we_2"));
  const auto rest = store.deliveries(kMine, {}, {.after = page.data[1].id.text()}).value();
  EXPECT_EQ(ids(rest.data), Names{first.id.text()});
  const auto oldest = store.deliveries(kMine, kHook, {.order = SortOrder::oldest_first}).value();
  EXPECT_EQ(this->batches_of(oldest), (Names{"batch_1", "batch_2"}));
  EXPECT_TRUE(store.deliveries(kMine, {}, {.after = "whd_none"})->data.empty());
}

TYPED_TEST(MetaWebhookContract, AnotherProjectsDeliveriesAreUnknown) {
  auto& store = this->store();
  const WebhookDelivery mine = this->queue("batch_1");
  EXPECT_EQ(kind_of(store.delivery(kOther, mine.id)), ErrorKind::not_found);
  EXPECT_EQ(kind_of(store.attempts(kOther, mine.id)), ErrorKind::not_found);
  EXPECT_EQ(kind_of(store.replay_delivery(kOther, mine.id, at(900))), ErrorKind::not_found);
  EXPECT_TRUE(store.deliveries(kOther, {}, {})->data.empty());
  EXPECT_TRUE(store.deliveries(kOther, kHook, {})->data.empty());
  EXPECT_TRUE(store.deliveries(kMine, WebhookEndpointId("we_other"), {})->data.empty());
}

TYPED_TEST(MetaWebhookContract, ReplayIsPendingAgainAndDueAtOnce) {
  auto& store = this->store();
  WebhookDelivery delivery = this->queue("batch_1");
  delivery.state = DeliveryState::given_up;
  delivery.attempts = 9;
  ASSERT_TRUE(store.record_attempt(delivery, {.at = at(201), .status = 500}));
  const auto replayed = store.replay_delivery(kMine, delivery.id, at(900)).value();
  delivery.state = DeliveryState::pending;
  delivery.attempts = 0;
  delivery.next_attempt_at = at(900);
  EXPECT_EQ(replayed, delivery);
  EXPECT_THAT(this->due(at(900)), ElementsAre(delivery));
  EXPECT_EQ(store.attempts(kMine, delivery.id)->size(), 1);
}

TYPED_TEST(MetaWebhookContract, DeletingAnEndpointDropsWhatIsPending) {
  auto& store = this->store();
  WebhookDelivery done = this->queue("batch_1");
  done.state = DeliveryState::delivered;
  ASSERT_TRUE(store.record_attempt(done, {.at = at(201), .status = 200}));
  const WebhookDelivery pending = this->queue("batch_2");
  ASSERT_TRUE(store.delete_endpoint(kMine, kHook));
  EXPECT_TRUE(this->due().empty());
  EXPECT_EQ(store.next_delivery_at().value(), std::nullopt);
  EXPECT_EQ(kind_of(store.delivery(kMine, pending.id)), ErrorKind::not_found);
  EXPECT_EQ(kind_of(store.record_attempt(pending, {.at = at(202)})), ErrorKind::not_found);
  EXPECT_EQ(kind_of(store.replay_delivery(kMine, pending.id, at(900))), ErrorKind::not_found);
  EXPECT_EQ(kind_of(store.replay_delivery(kMine, done.id, at(900))), ErrorKind::conflict);
  EXPECT_EQ(this->batches_of(store.deliveries(kMine, {}, {}).value()), Names{"batch_1"});
  EXPECT_EQ(this->batches_of(store.deliveries(kMine, {}, {.after = pending.id.text()}).value()),
            Names{"batch_1"});
}

TYPED_TEST(MetaWebhookContract, OldDeliveriesAreForgottenUnlessPending) {
  auto& store = this->store();
  WebhookDelivery old = this->queue("batch_old", 200);
  old.state = DeliveryState::given_up;
  ASSERT_TRUE(store.record_attempt(old, {.at = at(201)}));
  const WebhookDelivery pending = this->queue("batch_pending", 200);
  WebhookDelivery young = this->queue("batch_young", 300);
  young.state = DeliveryState::delivered;
  ASSERT_TRUE(store.record_attempt(young, {.at = at(301)}));
  ASSERT_TRUE(store.forget_deliveries(at(300)));
  EXPECT_EQ(kind_of(store.delivery(kMine, old.id)), ErrorKind::not_found);
  EXPECT_EQ(kind_of(store.attempts(kMine, old.id)), ErrorKind::not_found);
  EXPECT_TRUE(store.delivery(kMine, pending.id));
  EXPECT_EQ(store.attempts(kMine, young.id)->size(), 1);
}

}  // namespace
}  // namespace offpeak::meta_test
