#include "testing/server_fixture.h"

#include <fmt/format.h>

#include <boost/json/parse.hpp>
#include <ostream>
#include <sstream>
#include <thread>

#include "pipeline/projects/projects.h"

namespace offpeak {
namespace {

constexpr auto kPatience = std::chrono::seconds(30);
constexpr auto kPoll = std::chrono::milliseconds(2);

}  // namespace

bool eventually(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(kPoll);
  }
  return true;
}

std::string chat_row(std::string_view custom_id, std::string_view body) {
  return fmt::format(
      R"({{"custom_id":"{}","method":"POST","url":"/v1/chat/completions","body":{}}})"
      "\n",
      custom_id, body);
}

std::string chat_rows(std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    text += chat_row(
        fmt::format("row-{}", i),
        fmt::format(R"({{"model":"{}","messages":[{{"role":"user","content":"prompt {:04}"}}]}})",
                    kModel, i));
  }
  return text;
}

void PrintTo(const ShownCounts& counts, std::ostream* out) {
  *out << fmt::format("{} completed, {} failed of {}", counts.completed, counts.failed,
                      counts.total);
}

ServerFixture::ServerFixture() {
  options.upstreams = {upstream.settings(std::string(kModel), kSlots)};
}

void ServerFixture::start() {
  server.reset();
  server = std::make_unique<TestServer>(stores, options);
  if (!key.empty()) return;
  key = create_project(stores.meta, stores.clock, stores.random, "mine").value().api_key;
}

void ServerFixture::power_cut() {
  stores.blobs.lose_unsynced();
  crash();
}

TestClient ServerFixture::stranger() {
  const auto made = create_project(stores.meta, stores.clock, stores.random, "other").value();
  return {server->port(), made.api_key};
}

std::string ServerFixture::upload(const std::string& jsonl) {
  const auto reply = client().upload(jsonl);
  EXPECT_EQ(reply.status, 200) << reply.body;
  return std::string(reply.json().at("id").as_string());
}

std::string ServerFixture::create_batch(const std::string& file, const std::string& window) {
  const auto reply = client().post("/v1/batches", {{"input_file_id", file},
                                                   {"endpoint", "/v1/chat/completions"},
                                                   {"completion_window", window}});
  EXPECT_EQ(reply.status, 200) << reply.body;
  return std::string(reply.json().at("id").as_string());
}

boost::json::object ServerFixture::batch(const std::string& id) const {
  return client().get("/v1/batches/" + id).json();
}

std::string ServerFixture::status(const std::string& id) const {
  return std::string(batch(id).at("status").as_string());
}

ShownCounts ServerFixture::counts(const std::string& id) const {
  const auto shown = batch(id).at("request_counts").as_object();
  return {shown.at("total").to_number<std::int64_t>(),
          shown.at("completed").to_number<std::int64_t>(),
          shown.at("failed").to_number<std::int64_t>()};
}

TestReply ServerFixture::cancel(const std::string& id) const {
  return client().call("POST", "/v1/batches/" + id + "/cancel");
}

std::map<std::string, boost::json::object> ServerFixture::lines(const std::string& id,
                                                                const char* file) const {
  std::map<std::string, boost::json::object> found;
  const auto shown = batch(id);
  const auto* const name = shown.if_contains(file);
  if (name == nullptr || !name->is_string()) return found;
  const auto reply =
      client().get(fmt::format("/v1/files/{}/content", std::string(name->as_string())));
  EXPECT_EQ(reply.status, 200) << reply.body;
  std::istringstream text(reply.body);
  for (std::string line; std::getline(text, line);) {
    auto object = boost::json::parse(line).as_object();
    const std::string custom_id(object.at("custom_id").as_string());
    EXPECT_TRUE(found.emplace(custom_id, std::move(object)).second) << custom_id << " is twice";
  }
  return found;
}

void ServerFixture::expect_each_row_once(const std::string& id, std::size_t rows) const {
  auto all = output(id);
  for (auto& [custom_id, line] : errors(id)) {
    EXPECT_TRUE(all.emplace(custom_id, line).second) << custom_id << " is in both files";
  }
  EXPECT_EQ(all.size(), rows);
  for (std::size_t i = 0; i < rows; ++i) EXPECT_TRUE(all.contains(fmt::format("row-{}", i))) << i;
}

bool ServerFixture::reaches(const std::string& id, const std::string& wanted) const {
  const bool reached = eventually([&] { return status(id) == wanted; });
  EXPECT_TRUE(reached) << "batch " << id << " is " << status(id) << ", not " << wanted;
  return reached;
}

bool ServerFixture::advance_until(std::chrono::milliseconds step,
                                  const std::function<bool()>& condition) {
  return eventually([&] {
    if (condition()) return true;
    stores.clock.advance(step);
    server->tick();
    return condition();
  });
}

}  // namespace offpeak
