// The contract of request_store.h, held against every implementation.
#include "platform/meta/meta_contract.h"

namespace offpeak::meta_test {
namespace {

using testing::Optional;

template <class Fixture>
class MetaRequestContract : public MetaContract<Fixture> {
 protected:
  std::optional<std::string> made_by(std::string_view fingerprint, UnixSeconds since = at(0),
                                     const ProjectId& project = kMine) {
    return this->store().made_by(project, fingerprint, since).value();
  }

  std::optional<KeyedRequest> keyed(std::string_view key, UnixSeconds since = at(0),
                                    const ProjectId& project = kMine) {
    return this->store().keyed_request(project, key, since).value();
  }

  void make_file(const std::string& id, const RequestMark& mark, UnixSeconds when = at(100)) {
    FileRecord file = file_record(id);
    file.created_at = when;
    ASSERT_TRUE(this->store().insert_file(file, mark));
  }
};
TYPED_TEST_SUITE(MetaRequestContract, Stores);

const StoredReply kReply{.status = 400, .content_type = "application/json", .body = "{\"a\":\xff}"};

TYPED_TEST(MetaRequestContract, EveryInsertLeavesItsMark) {
  auto& store = this->store();
  ASSERT_TRUE(store.insert_file(file_record("f"), {"fp-file", ""}));
  ASSERT_TRUE(store.insert_batch(batch_record("b"), {"fp-batch", ""}));
  ASSERT_TRUE(store.insert_upload({.id = UploadId("u"), .project = kMine, .created_at = at(100)},
                                  {"fp-upload", ""}));
  ASSERT_TRUE(store.insert_part(
      kMine, {.id = PartId("p"), .upload = UploadId("u"), .created_at = at(100)}, {"fp-part", ""}));
  ASSERT_TRUE(store.insert_endpoint(
      {.id = WebhookEndpointId("we"), .project = kMine, .created_at = at(100)}, {"fp-hook", ""}));
  EXPECT_THAT(this->made_by("fp-file"), Optional(std::string("f")));
  EXPECT_THAT(this->made_by("fp-batch"), Optional(std::string("b")));
  EXPECT_THAT(this->made_by("fp-upload"), Optional(std::string("u")));
  EXPECT_THAT(this->made_by("fp-part"), Optional(std::string("p")));
  EXPECT_THAT(this->made_by("fp-hook"), Optional(std::string("we")));
}

TYPED_TEST(MetaRequestContract, UnmarkedAndUnknownRequestsAreNotFound) {
  this->make_file("f", {});
  EXPECT_EQ(this->made_by(""), std::nullopt);
  EXPECT_EQ(this->made_by("fp"), std::nullopt);
  EXPECT_EQ(this->keyed(""), std::nullopt);
  EXPECT_EQ(this->keyed("key"), std::nullopt);
}

TYPED_TEST(MetaRequestContract, NewestRequestOfAFingerprintCounts) {
  this->make_file("first", {"fp", ""});
  this->make_file("second", {"fp", ""});
  EXPECT_EQ(this->made_by("fp"), "second");
}

TYPED_TEST(MetaRequestContract, RequestsBeforeSinceAreNotFound) {
  this->make_file("f", {"fp", "key"}, at(100));
  EXPECT_EQ(this->made_by("fp", at(100)), "f");
  EXPECT_EQ(this->made_by("fp", at(101)), std::nullopt);
  EXPECT_TRUE(this->keyed("key", at(100)));
  EXPECT_FALSE(this->keyed("key", at(101)));
}

TYPED_TEST(MetaRequestContract, AnotherProjectsRequestsAreUnknown) {
  this->make_file("f", {"fp", "key"});
  EXPECT_EQ(this->made_by("fp", at(0), kOther), std::nullopt);
  EXPECT_EQ(this->keyed("key", at(0), kOther), std::nullopt);
  ASSERT_TRUE(this->store().insert_file(file_record("g", kOther), {"fp2", "key"}));
  EXPECT_EQ(this->keyed("key")->object, "f");
  EXPECT_EQ(this->keyed("key", at(0), kOther)->object, "g");
}

TYPED_TEST(MetaRequestContract, NothingIsMarkedWhenNothingIsMade) {
  EXPECT_EQ(kind_of(this->store().insert_file(file_record("in"), {"fp", "key"})),
            ErrorKind::conflict);
  EXPECT_EQ(this->made_by("fp"), std::nullopt);
  EXPECT_EQ(this->keyed("key"), std::nullopt);
}

TYPED_TEST(MetaRequestContract, ReplyIsKeptBesideTheObject) {
  const RequestMark mark{"fp", "key"};
  this->make_file("f", mark);
  EXPECT_EQ(this->keyed("key"), (KeyedRequest{"fp", "f", std::nullopt}));
  ASSERT_TRUE(this->store().keep_reply(kMine, mark, kReply, at(101)));
  EXPECT_EQ(this->keyed("key"), (KeyedRequest{"fp", "f", kReply}));
  EXPECT_EQ(this->made_by("fp"), "f");
}

TYPED_TEST(MetaRequestContract, ReplyIsKeptForARequestThatMadeNothing) {
  const RequestMark mark{"fp", "key"};
  ASSERT_TRUE(this->store().keep_reply(kMine, mark, kReply, at(100)));
  EXPECT_EQ(this->keyed("key", at(100)), (KeyedRequest{"fp", "", kReply}));
  EXPECT_EQ(this->keyed("key", at(101)), std::nullopt);
  EXPECT_EQ(this->made_by("fp"), std::nullopt);
  EXPECT_EQ(kind_of(this->store().keep_reply(ProjectId("nobody"), mark, kReply, at(100))),
            ErrorKind::not_found);
}

TYPED_TEST(MetaRequestContract, LaterReplyReplacesTheEarlierOne) {
  const StoredReply later{.status = 200, .content_type = "text/plain", .body = ""};
  ASSERT_TRUE(this->store().keep_reply(kMine, {"fp", "key"}, kReply, at(100)));
  ASSERT_TRUE(this->store().keep_reply(kMine, {"fp", "key"}, later, at(102)));
  EXPECT_EQ(this->keyed("key", at(102)), (KeyedRequest{"fp", "", later}));
}

TYPED_TEST(MetaRequestContract, ReplyToAnotherRequestForgetsTheObject) {
  this->make_file("f", {"fp", "key"});
  ASSERT_TRUE(this->store().keep_reply(kMine, {"other", "key"}, kReply, at(102)));
  EXPECT_EQ(this->keyed("key"), (KeyedRequest{"other", "", kReply}));
}

TYPED_TEST(MetaRequestContract, ReplyWithoutAKeyIsNotKept) {
  EXPECT_TRUE(this->store().keep_reply(kMine, {"fp", ""}, kReply, at(100)));
  EXPECT_TRUE(this->store().keep_reply(kMine, {}, kReply, at(100)));
  EXPECT_EQ(this->made_by("fp"), std::nullopt);
  EXPECT_EQ(this->keyed(""), std::nullopt);
}

TYPED_TEST(MetaRequestContract, NewObjectTakesTheKeyOver) {
  this->make_file("old", {"fp", "key"});
  ASSERT_TRUE(this->store().keep_reply(kMine, {"fp", "key"}, kReply, at(100)));
  this->make_file("new", {"fp", "key"}, at(90000));
  EXPECT_EQ(this->keyed("key"), (KeyedRequest{"fp", "new", std::nullopt}));
}

TYPED_TEST(MetaRequestContract, ForgettingGoesByAgeAndKind) {
  for (const int age : {10, 20, 30}) {
    this->make_file(fmt::format("k{}", age), {fmt::format("fpk{}", age), fmt::format("{}", age)},
                    at(age));
    this->make_file(fmt::format("u{}", age), {fmt::format("fpu{}", age), ""}, at(age));
  }
  ASSERT_TRUE(this->store().forget_requests(at(20), at(30)));
  EXPECT_FALSE(this->keyed("10"));
  EXPECT_TRUE(this->keyed("20"));
  EXPECT_TRUE(this->keyed("30"));
  EXPECT_EQ(this->made_by("fpk10"), std::nullopt);
  EXPECT_EQ(this->made_by("fpu10"), std::nullopt);
  EXPECT_EQ(this->made_by("fpu20"), std::nullopt);
  EXPECT_EQ(this->made_by("fpu30"), "u30");
}

}  // namespace
}  // namespace offpeak::meta_test
