// The API as a client sees it: envelopes, errors, pages, ranges.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <set>

#include "testing/server_fixture.h"

namespace offpeak {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

std::string text(const boost::json::value& value) {
  return std::string(value.as_string());
}

/// Its keys in their order.
std::vector<std::string> keys(const boost::json::object& object) {
  std::vector<std::string> found;
  for (const auto& [key, value] : object) found.emplace_back(key);
  return found;
}

class ApiTest : public ServerFixture {
 protected:
  ApiTest() { start(); }

  static void expect_error(const TestReply& reply, int status, const std::string& type,
                           const boost::json::value& code, const boost::json::value& param) {
    SCOPED_TRACE(reply.body);
    EXPECT_EQ(reply.status, status);
    EXPECT_EQ(reply.header("content-type"), "application/json");
    EXPECT_THAT(keys(reply.json()), ElementsAre("error"));
    const auto error = reply.json().at("error").as_object();
    EXPECT_THAT(keys(error), ElementsAre("message", "type", "param", "code"));
    EXPECT_FALSE(text(error.at("message")).empty());
    EXPECT_EQ(text(error.at("type")), type);
    EXPECT_EQ(error.at("code"), code);
    EXPECT_EQ(error.at("param"), param);
  }

  std::vector<std::string> upload_many(int count) {
    std::vector<std::string> ids;
    for (int i = 0; i < count; ++i) ids.push_back(upload(chat_rows(1)));
    return ids;
  }
  static std::vector<std::string> ids_of(const boost::json::object& page) {
    std::vector<std::string> found;
    for (const auto& item : page.at("data").as_array()) found.push_back(text(item.at("id")));
    return found;
  }
};

TEST_F(ApiTest, RefusesCallersWithoutAKeyThatItKnows) {
  const TestClient nobody{server->port(), ""};
  const TestClient wrong{server->port(), "opk_0123456789abcdefghijklmnop"};
  for (const auto* target : {"/v1/files", "/v1/batches", "/v1/models", "/v1/batches/batch_1"}) {
    const auto without = nobody.get(target);
    expect_error(without, 401, "invalid_request_error", nullptr, nullptr);
    const auto bad = wrong.get(target);
    expect_error(bad, 401, "invalid_request_error", "invalid_api_key", nullptr);
    EXPECT_THAT(bad.body, testing::Not(HasSubstr(wrong.key)));
  }
  EXPECT_EQ(nobody.get("/livez").status, 200);
  EXPECT_EQ(nobody.get("/readyz").status, 200);
}

TEST_F(ApiTest, HeadIsGetWithoutTheBody) {
  const auto file = upload(chat_rows(3));
  for (const std::string& target : {std::string("/v1/models"), "/v1/files/" + file + "/content"}) {
    const auto get = client().get(target);
    const auto head = client().call("HEAD", target);
    EXPECT_EQ(head.status, 200);
    EXPECT_EQ(head.body, "");
    EXPECT_EQ(head.header("content-length"), std::to_string(get.body.size()));
    EXPECT_EQ(head.header("content-type"), get.header("content-type"));
  }
  EXPECT_EQ(client().call("HEAD", "/v1/files/file-x").status, 404);
  EXPECT_EQ(client().call("HEAD", "/v1/batches/x/cancel").status, 405);
}

TEST_F(ApiTest, TakesTheKeyAsTheBasicPasswordToo) {
  const TestClient nobody{server->port(), ""};
  EXPECT_EQ(nobody.get("/v1/files", {{"Authorization", "bearer " + key}}).status, 200);
  EXPECT_EQ(nobody.get("/v1/files", {{"Authorization", "Basic bm8="}}).status, 401);
  EXPECT_EQ(nobody.get("/v1/files", {{"Authorization", "Bearer "}}).status, 401);
  EXPECT_EQ(nobody.get("/v1/files", {{"Authorization", key}}).status, 401);
}

TEST_F(ApiTest, ProjectsAreMadeByTheOperatorOnly) {
  const boost::json::object body = {{"name", "third"}};
  EXPECT_EQ(client().post("/internal/projects", body).status, 401);
  const TestClient operator_client{server->port(), options.operator_key};
  const auto made = operator_client.post("/internal/projects", body);
  ASSERT_EQ(made.status, 200);
  const TestClient third{server->port(), text(made.json().at("api_key"))};
  EXPECT_EQ(third.get("/v1/files").status, 200);
  EXPECT_EQ(operator_client.get("/v1/files").status, 401);
  expect_error(operator_client.post("/internal/projects", {}), 400, "invalid_request_error",
               "missing_required_parameter", "name");
}

TEST_F(ApiTest, UnknownPathsAndMethods) {
  expect_error(client().get("/v1/fils"), 404, "invalid_request_error", nullptr, nullptr);
  expect_error(client().get("/v1/files/a/b/c"), 404, "invalid_request_error", nullptr, nullptr);
  const auto refused = client().call("PUT", "/v1/batches");
  expect_error(refused, 405, "invalid_request_error", "method_not_supported", nullptr);
  EXPECT_EQ(refused.header("allow"), "POST, GET");
}

TEST_F(ApiTest, UnknownObjects) {
  for (const auto* target : {"/v1/files/file-x", "/v1/files/file-x/content", "/v1/batches/batch_x",
                             "/v1/models/nothing"}) {
    const auto reply = client().get(target);
    SCOPED_TRACE(target);
    EXPECT_EQ(reply.status, 404);
    EXPECT_THAT(keys(reply.json().at("error").as_object()),
                ElementsAre("message", "type", "param", "code"));
  }
  EXPECT_EQ(client().call("DELETE", "/v1/files/file-x").status, 404);
  EXPECT_EQ(client().call("POST", "/v1/batches/batch_x/cancel").status, 404);
}

TEST_F(ApiTest, BodiesThatAreTooLarge) {
  const std::string file(options.file_bytes_max + 1, ' ');
  expect_error(client().upload(file, "user_data", "a.bin"), 413, "invalid_request_error", nullptr,
               nullptr);
  const std::string body = "{\"a\":\"" + std::string(kJsonBodyMax, 'x') + "\"}";
  expect_error(client().call("POST", "/v1/batches", body), 413, "invalid_request_error", nullptr,
               nullptr);
  EXPECT_TRUE(client().get("/v1/files").json().at("data").as_array().empty());
  EXPECT_EQ(client().upload(file.substr(1), "user_data", "a.bin").status, 200);
}

TEST_F(ApiTest, EveryResponseHasARequestIdOfItsOwn) {
  const auto client = this->client();
  const TestClient nobody{server->port(), ""};
  const std::string file = upload(chat_rows(1));
  const std::vector<TestReply> replies = {
      client.get("/v1/files"),
      client.get("/v1/files/" + file + "/content"),
      client.get("/v1/files/" + file + "/content", {{"Range", "bytes=900000-"}}),
      client.get("/v1/batches/none"),
      client.get("/nowhere"),
      client.call("PATCH", "/v1/files"),
      client.call("POST", "/v1/batches", "{"),
      client.call("POST", "/v1/files", "x"),
      nobody.get("/v1/batches"),
      nobody.get("/livez"),
      exchange_raw(server->port(), "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
      exchange_raw(server->port(),
                   "GET / HTTP/1.1\r\nHost: a\r\nx: " + std::string(100'000, 'y') + "\r\n\r\n"),
  };
  std::set<std::string> ids;
  for (const auto& reply : replies) {
    EXPECT_NE(reply.status, 0);
    EXPECT_THAT(reply.header("x-request-id"), StartsWith("req_")) << reply.status << reply.body;
    EXPECT_EQ(reply.header("x-content-type-options"), "nosniff") << reply.status << reply.body;
    ids.insert(reply.header("x-request-id"));
  }
  EXPECT_EQ(ids.size(), replies.size());
  EXPECT_EQ(replies[10].status, 400);
  EXPECT_EQ(replies[11].status, 431);
}

TEST_F(ApiTest, AStoreThatRefusesWritesGivesErrorsThatTellToTryLater) {
  const auto file = upload(chat_rows(1));
  const boost::json::object create = {
      {"input_file_id", file}, {"endpoint", "/v1/chat/completions"}, {"completion_window", "24h"}};
  stores.meta.fail_writes(Error{ErrorKind::storage_full, "/secret/path is full"});
  for (const auto& reply : {client().upload(chat_rows(1)), client().post("/v1/batches", create),
                            client().call("DELETE", "/v1/files/" + file)}) {
    expect_error(reply, 507, "server_error", nullptr, nullptr);
    EXPECT_THAT(reply.body, testing::Not(HasSubstr("secret")));
  }
  stores.meta.fail_writes(Error{ErrorKind::internal, "/secret/path is broken"});
  const auto reply = client().post("/v1/batches", create);
  expect_error(reply, 500, "server_error", nullptr, nullptr);
  EXPECT_THAT(reply.body, testing::Not(HasSubstr("secret")));
  stores.meta.fail_writes(std::nullopt);
  EXPECT_EQ(ids_of(client().get("/v1/files").json()).size(), 1);
  EXPECT_TRUE(ids_of(client().get("/v1/batches").json()).empty());
}

TEST_F(ApiTest, PagesOfFiles) {
  const auto ids = upload_many(5);
  const auto first = client().get("/v1/files?limit=2").json();
  EXPECT_THAT(keys(first), ElementsAre("object", "data", "first_id", "last_id", "has_more"));
  EXPECT_EQ(text(first.at("object")), "list");
  EXPECT_THAT(ids_of(first), ElementsAre(ids[4], ids[3]));
  EXPECT_EQ(text(first.at("first_id")), ids[4]);
  EXPECT_EQ(text(first.at("last_id")), ids[3]);
  EXPECT_TRUE(first.at("has_more").as_bool());
  const auto second = client().get("/v1/files?limit=2&after=" + ids[3]).json();
  EXPECT_THAT(ids_of(second), ElementsAre(ids[2], ids[1]));
  EXPECT_TRUE(second.at("has_more").as_bool());
  const auto last = client().get("/v1/files?limit=2&after=" + ids[1]).json();
  EXPECT_THAT(ids_of(last), ElementsAre(ids[0]));
  EXPECT_FALSE(last.at("has_more").as_bool());
  const auto ascending = client().get("/v1/files?order=asc&after=" + ids[1]).json();
  EXPECT_THAT(ids_of(ascending), ElementsAre(ids[2], ids[3], ids[4]));
  // A page goes on behind a file that has been deleted meanwhile.
  EXPECT_EQ(client().call("DELETE", "/v1/files/" + ids[3]).status, 200);
  EXPECT_THAT(ids_of(client().get("/v1/files?limit=2&after=" + ids[3]).json()),
              ElementsAre(ids[2], ids[1]));
  EXPECT_TRUE(ids_of(client().get("/v1/files?purpose=user_data").json()).empty());
}

TEST_F(ApiTest, PagesOfBatches) {
  std::vector<std::string> ids;
  for (int i = 0; i < 3; ++i) ids.push_back(run_rows(1));
  const auto first = client().get("/v1/batches?limit=2").json();
  EXPECT_THAT(ids_of(first), ElementsAre(ids[2], ids[1]));
  EXPECT_TRUE(first.at("has_more").as_bool());
  const auto last = client().get("/v1/batches?limit=2&after=" + ids[1]).json();
  EXPECT_THAT(ids_of(last), ElementsAre(ids[0]));
  EXPECT_FALSE(last.at("has_more").as_bool());
  const auto beyond = client().get("/v1/batches?after=" + ids[0]).json();
  EXPECT_TRUE(ids_of(beyond).empty());
  EXPECT_TRUE(beyond.at("first_id").is_null());
  EXPECT_TRUE(beyond.at("last_id").is_null());
}

TEST_F(ApiTest, ListParametersAreChecked) {
  const auto get = [&](const std::string& query) { return client().get(query); };
  const std::string type = "invalid_request_error";
  expect_error(get("/v1/batches?limit=0"), 400, type, "integer_below_min_value", "limit");
  expect_error(get("/v1/batches?limit=101"), 400, type, "integer_above_max_value", "limit");
  expect_error(get("/v1/batches?limit=99999999999999999999"), 400, type, "integer_above_max_value",
               "limit");
  expect_error(get("/v1/batches?limit=two"), 400, type, "invalid_type", "limit");
  expect_error(get("/v1/files?limit=10001"), 400, type, "integer_above_max_value", "limit");
  expect_error(get("/v1/files?order=up"), 400, type, "invalid_value", "order");
  EXPECT_EQ(get("/v1/batches?limit=100&order=up").status, 200);
}

TEST_F(ApiTest, DeletedFilesAreGone) {
  const auto file = upload(chat_rows(1));
  const auto reply = client().call("DELETE", "/v1/files/" + file).json();
  EXPECT_EQ(text(reply.at("id")), file);
  EXPECT_TRUE(reply.at("deleted").as_bool());
  EXPECT_EQ(client().get("/v1/files/" + file).status, 404);
  EXPECT_EQ(client().get("/v1/files/" + file + "/content").status, 404);
  EXPECT_EQ(client().call("DELETE", "/v1/files/" + file).status, 404);
}

TEST_F(ApiTest, ModelsOfTheUpstreams) {
  const auto list = client().get("/v1/models").json();
  EXPECT_THAT(ids_of(list), ElementsAre(std::string(kModel)));
  const auto model = client().get(fmt::format("/v1/models/{}", kModel));
  EXPECT_EQ(model.status, 200);
  EXPECT_EQ(text(model.json().at("object")), "model");
}

struct RangeCase {
  const char* header;
  int status;
  const char* body;  // nullptr: an error object
  const char* content_range;
};

void PrintTo(const RangeCase& range, std::ostream* out) {
  *out << range.header;
}

class RangeTest : public ApiTest, public testing::WithParamInterface<RangeCase> {};

TEST_P(RangeTest, IsAnsweredAsTheStandardSays) {
  const auto uploaded = client().upload("0123456789", "user_data", "digits.txt");
  const auto path = "/v1/files/" + text(uploaded.json().at("id")) + "/content";
  const auto& expected = GetParam();
  const auto reply = client().get(path, {{"Range", expected.header}});
  EXPECT_EQ(reply.status, expected.status);
  EXPECT_EQ(reply.header("content-range"), expected.content_range);
  if (expected.body != nullptr) {
    EXPECT_EQ(reply.body, expected.body);
    EXPECT_EQ(reply.header("accept-ranges"), "bytes");
  }
  EXPECT_EQ(reply.header("content-length"), fmt::format("{}", reply.body.size()));
}

INSTANTIATE_TEST_SUITE_P(
    Headers, RangeTest,
    testing::Values(RangeCase{"bytes=0-3", 206, "0123", "bytes 0-3/10"},
                    RangeCase{"bytes=4-4", 206, "4", "bytes 4-4/10"},
                    RangeCase{"bytes=7-", 206, "789", "bytes 7-9/10"},
                    RangeCase{"bytes=7-100", 206, "789", "bytes 7-9/10"},
                    RangeCase{"bytes=1-18446744073709551615", 206, "123456789", "bytes 1-9/10"},
                    RangeCase{"bytes=0-18446744073709551615", 206, "0123456789", "bytes 0-9/10"},
                    RangeCase{"bytes=-3", 206, "789", "bytes 7-9/10"},
                    RangeCase{"bytes=-100", 206, "0123456789", "bytes 0-9/10"},
                    RangeCase{"bytes=10-", 416, nullptr, "bytes */10"},
                    RangeCase{"bytes=-0", 416, nullptr, "bytes */10"},
                    // Not a range that can be served: the whole file.
                    RangeCase{"bytes=3-1", 200, "0123456789", ""},
                    RangeCase{"bytes=0-1,4-5", 200, "0123456789", ""},
                    RangeCase{"bytes=a-b", 200, "0123456789", ""},
                    RangeCase{"rows=0-1", 200, "0123456789", ""}));

TEST_F(ApiTest, RangesOfAnEmptyFile) {
  const auto uploaded = client().upload("", "user_data", "empty.txt");
  ASSERT_EQ(uploaded.status, 200) << uploaded.body;
  const auto path = "/v1/files/" + text(uploaded.json().at("id")) + "/content";
  const auto whole = client().get(path);
  EXPECT_EQ(whole.status, 200);
  EXPECT_EQ(whole.header("content-length"), "0");
  for (const auto* range : {"bytes=0-", "bytes=0-0", "bytes=-5"}) {
    const auto reply = client().get(path, {{"Range", range}});
    EXPECT_EQ(reply.status, 416) << range;
    EXPECT_EQ(reply.header("content-range"), "bytes */0") << range;
  }
}

}  // namespace
}  // namespace offpeak
