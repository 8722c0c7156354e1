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

constexpr std::string_view kFileArgument = "{file_id}";
constexpr std::string_view kBatchArgument = "{batch_id}";

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
    input = upload(chat_rows(2));
    finished = create_batch(input);
    EXPECT_TRUE(reaches(finished, "completed"));
    upstream.script([](const UpstreamCall&) -> UpstreamAnswer { return {.held = true}; });
    running = create_batch(input);
    EXPECT_TRUE(reaches(running, "in_progress"));
    const auto shown = batch(finished);
    files = {input, std::string(shown.at("output_file_id").as_string()),
             std::string(shown.at("error_file_id").as_string())};
    other = stranger();
  }

  /// Status, headers and body with `id` and what differs between any two calls taken out.
  static std::string told(const TestReply& reply, std::string_view id) {
    std::string all = fmt::format("{}\n", reply.status);
    for (const auto& header : reply.headers) {
      if (header.name == "x-request-id" || header.name == "openai-processing-ms") continue;
      all += fmt::format("{}: {}\n", header.name, header.value);
    }
    all += reply.body;
    replace_all(all, id, "ID");
    return all;
  }

  std::string input;
  std::string finished;
  std::string running;
  std::vector<std::string> files;
  TestClient other;
};

TEST_F(IsolationTest, AForeignIdIsAnsweredAsAnUnknownOneOnEveryRoute) {
  std::size_t checked = 0;
  for (const Route& route : server->api().router().routes()) {
    const std::string pattern(route.pattern);
    if (!pattern.contains('{') || pattern.contains("{model}")) continue;
    SCOPED_TRACE(fmt::format("{} {}", route.method, pattern));
    ASSERT_EQ(route.access, Access::project);
    const bool of_file = pattern.contains(kFileArgument);
    ASSERT_TRUE(of_file || pattern.contains(kBatchArgument)) << "a new kind of argument";
    for (const auto& id : of_file ? files : std::vector{finished, running}) {
      const auto path_of = [&](const std::string& named) {
        std::string path = pattern;
        replace_all(path, of_file ? kFileArgument : kBatchArgument, named);
        return path;
      };
      const auto unknown = unknown_like(id);
      const auto foreign_reply = other.call(route.method, path_of(id));
      const auto unknown_reply = other.call(route.method, path_of(unknown));
      EXPECT_EQ(foreign_reply.status, 404);
      EXPECT_EQ(told(foreign_reply, id), told(unknown_reply, unknown));
      if (route.method == "GET") {
        EXPECT_EQ(client().get(path_of(id)).status, 200);
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
      EXPECT_EQ(told(other.get(path + "?after=" + id), id),
                told(other.get(path + "?after=" + unknown_like(id)), unknown_like(id)));
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
