// A project cannot see that another one's objects exist: on every route that takes an id, a foreign
// id is answered byte for byte as an unknown one. The matrix comes from the route table, so that a
// new route is in it without anybody thinking of it.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <boost/json/serialize.hpp>
#include <span>

#include "testing/server_fixture.h"

namespace offpeak {
namespace {

using testing::HasSubstr;
using testing::Not;

void replace_all(std::string& in, std::string_view what, std::string_view with) {
  for (auto at = in.find(what); at != std::string::npos; at = in.find(what, at + with.size())) {
    in.replace(at, what.size(), with);
  }
}

/// Another id of the same shape.
std::string unknown_like(std::string id) {
  for (char& c : std::span(id).last(12)) c = c == 'a' ? 'b' : 'a';
  return id;
}

class IsolationTest : public ServerFixture {
 protected:
  IsolationTest() {
    upstream.script([](const UpstreamCall& call) -> UpstreamAnswer {
      if (call.number % 2 == 0) return {};
      return {.status = 400, .body = "{}"};
    });
    start();
    const auto endpoint =
        made("/v1/webhook_endpoints", {{"name", "ops"},
                                       {"url", "https://example.com/hook"},
                                       {"event_types", boost::json::array{"batch.completed"}}});
    const auto pending = made("/v1/uploads", {{"filename", "a.jsonl"},
                                              {"purpose", "batch"},
                                              {"bytes", 3},
                                              {"mime_type", "application/jsonl"}});
    input = upload(chat_rows(2));
    finished = create_batch(input);
    EXPECT_TRUE(reaches(finished, "completed"));
    upstream.script([](const UpstreamCall&) -> UpstreamAnswer { return {.held = true}; });
    running = create_batch(input);
    EXPECT_TRUE(reaches(running, "in_progress"));
    const auto shown = batch(finished);
    files = {input, std::string(shown.at("output_file_id").as_string()),
             std::string(shown.at("error_file_id").as_string())};
    const auto log = client().get("/v1/webhook_endpoints/" + endpoint + "/deliveries").json();
    const auto delivery = std::string(log.at("data").at(0).at("id").as_string());
    own = {{"{file_id}", files},
           {"{batch_id}", {finished, running}},
           {"{upload_id}", {pending}},
           {"{webhook_endpoint_id}", {endpoint}},
           {"{delivery_id}", {delivery}}};
    other = stranger();
  }

  std::string made(const std::string& path, const boost::json::object& body) const {
    const auto reply = client().post(path, body);
    EXPECT_EQ(reply.status, 200) << reply.body;
    return std::string(reply.json().at("id").as_string());
  }

  /// Every path of a route's pattern to objects of the first project; empty if an argument is new.
  std::vector<std::string> paths_of(std::string_view pattern) const {
    std::vector<std::string> paths = {std::string(pattern)};
    for (const auto& [argument, ids] : own) {
      std::vector<std::string> filled;
      for (const auto& path : paths) {
        if (!path.contains(argument)) filled.push_back(path);
        for (const auto& id : path.contains(argument) ? ids : std::vector<std::string>()) {
          filled.push_back(path);
          replace_all(filled.back(), argument, id);
        }
      }
      paths = std::move(filled);
    }
    return paths;
  }

  /// The same text with other ids of the same shapes.
  std::string with_unknown_ids(std::string text) const {
    for (const auto& [argument, ids] : own) {
      for (const auto& id : ids) replace_all(text, id, unknown_like(id));
    }
    return text;
  }

  /// A body that the route would take from the object's owner.
  TestReply call_other(const Route& route, const std::string& path) const {
    if (route.body == BodyKind::form) {
      return other.call(route.method, path,
                        "--b\r\nContent-Disposition: form-data; name=\"data\"; filename=\"a\"\r\n"
                        "\r\nabc\r\n--b--\r\n",
                        {{"Content-Type", "multipart/form-data; boundary=b"}});
    }
    std::string body = "{}";
    if (path.ends_with("/complete")) body = R"({"part_ids":["part_1"]})";
    if (path.ends_with("/test")) body = R"({"event_type":"batch.completed"})";
    return other.call(route.method, path, route.body == BodyKind::text ? body : "");
  }

  /// Status, headers and body without what differs between any two calls.
  static std::string told(const TestReply& reply) {
    std::string all = fmt::format("{}\n", reply.status);
    for (const auto& header : reply.headers) {
      if (header.name == "x-request-id" || header.name == "openai-processing-ms") continue;
      all += fmt::format("{}: {}\n", header.name, header.value);
    }
    all += reply.body;
    return all;
  }

  std::string input;
  std::string finished;
  std::string running;
  std::vector<std::string> files;
  std::map<std::string, std::vector<std::string>> own;  // by the argument that takes it
  TestClient other;
};

TEST_F(IsolationTest, AForeignIdIsAnsweredAsAnUnknownOneOnEveryRoute) {
  std::size_t checked = 0;
  for (const Route& route : server->api().router().routes()) {
    const std::string pattern(route.pattern);
    if (!pattern.contains('{') || pattern.contains("{model}")) continue;
    SCOPED_TRACE(fmt::format("{} {}", route.method, pattern));
    ASSERT_EQ(route.access, Access::project);
    for (const auto& path : paths_of(pattern)) {
      ASSERT_FALSE(path.contains('{')) << "a new kind of argument: " << path;
      const auto foreign = call_other(route, path);
      const auto unknown = call_other(route, with_unknown_ids(path));
      EXPECT_EQ(foreign.status, 404) << foreign.body;
      EXPECT_EQ(with_unknown_ids(told(foreign)), told(unknown));
      if (route.method == "GET") {
        EXPECT_EQ(client().get(path).status, 200);
      }
      ++checked;
    }
  }
  EXPECT_GE(checked, 3 * files.size());
  // Nothing that the stranger tried had an effect.
  EXPECT_EQ(status(running), "in_progress");
  for (const auto& file : files) EXPECT_EQ(client().get("/v1/files/" + file).status, 200);
}

TEST_F(IsolationTest, ListsShowOnlyOnesOwn) {
  for (const Route& route : server->api().router().routes()) {
    if (route.access != Access::project || route.method != "GET") continue;
    if (route.pattern.contains('{')) continue;
    SCOPED_TRACE(route.pattern);
    const std::string path(route.pattern);
    const auto reply = other.get(path);
    EXPECT_EQ(reply.status, 200);
    for (const auto& id : {input, finished, running}) {
      EXPECT_THAT(reply.body, Not(HasSubstr(id)));
      EXPECT_EQ(with_unknown_ids(told(other.get(path + "?after=" + id))),
                told(other.get(path + "?after=" + unknown_like(id))));
    }
  }
}

TEST_F(IsolationTest, ABatchOverAForeignFileFailsAsOverAnUnknownOne) {
  const auto errors_of = [&](const std::string& file) {
    const auto made = other.post("/v1/batches", {{"input_file_id", file},
                                                 {"endpoint", "/v1/chat/completions"},
                                                 {"completion_window", "24h"}});
    EXPECT_EQ(made.status, 200);
    const auto path = "/v1/batches/" + std::string(made.json().at("id").as_string());
    EXPECT_TRUE(eventually([&] { return other.get(path).json().at("status") == "failed"; }));
    std::string all = boost::json::serialize(other.get(path).json().at("errors"));
    replace_all(all, file, "ID");
    return all;
  };
  EXPECT_EQ(errors_of(input), errors_of(unknown_like(input)));
}

}  // namespace
}  // namespace offpeak
