#include "pipeline/upstream/model_directory.h"

#include <gmock/gmock.h>

namespace offpeak {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

UpstreamSettings upstream(std::string name, std::vector<std::string> models,
                          std::map<std::string, std::string> aliases = {}) {
  return {.name = std::move(name),
          .endpoint = {.host = "127.0.0.1", .port = 8000},
          .models = std::move(models),
          .aliases = std::move(aliases)};
}

TEST(ModelDirectory, RoutesToEveryUpstreamThatServesTheModel) {
  const ModelDirectory directory({upstream("a", {"m", "n"}), upstream("b", {"m"})}, "");
  EXPECT_EQ(directory.route("m")->upstreams, UpstreamSet(0b11));
  EXPECT_EQ(directory.route("n")->upstreams, UpstreamSet(0b01));
  EXPECT_EQ(directory.route("x"), std::nullopt);
  EXPECT_EQ(directory.route(""), std::nullopt);
}

TEST(ModelDirectory, AliasesResolvePerUpstream) {
  const ModelDirectory directory({upstream("a", {"llama-3"}, {{"gpt-4o-mini", "llama-3"}}),
                                  upstream("b", {"llama-3-fp8"}, {{"gpt-4o-mini", "llama-3-fp8"}})},
                                 "");
  const auto route = directory.route("gpt-4o-mini");
  EXPECT_EQ(route->upstreams, UpstreamSet(0b11));
  EXPECT_EQ(route->served_model, "llama-3");
  EXPECT_FALSE(route->stand_in);
  EXPECT_EQ(directory.served_name(1, "gpt-4o-mini"), "llama-3-fp8");
  EXPECT_EQ(directory.served_name(1, "llama-3-fp8"), "llama-3-fp8");
}

TEST(ModelDirectory, ADefaultModelStandsInAndSaysSo) {
  const ModelDirectory directory({upstream("a", {"m"})}, "m");
  EXPECT_TRUE(directory.route("gpt-4o")->stand_in);
  EXPECT_EQ(directory.route("gpt-4o")->served_model, "m");
  EXPECT_EQ(directory.served_name(0, "gpt-4o"), "m");
  EXPECT_EQ(directory.route("")->served_model, "m");
}

TEST(ModelDirectory, TheLocalEngineTakesEverything) {
  auto engine = upstream("engine", {"smollm2"});
  engine.catch_all = true;
  const ModelDirectory directory({engine}, "");
  EXPECT_TRUE(directory.route("gpt-4o-mini")->stand_in);
  EXPECT_EQ(directory.served_name(0, "gpt-4o-mini"), "smollm2");
  EXPECT_FALSE(directory.route("smollm2")->stand_in);
}

TEST(ModelDirectory, AnUnknownModelIsRefusedOnceAllUpstreamsHaveSpoken) {
  ModelDirectory directory({upstream("a", {}), upstream("b", {"m"})}, "");
  directory.not_discovered(0, "connection refused");
  const auto early = directory.require("x", 1ms);
  ASSERT_FALSE(early);
  EXPECT_EQ(early.error().code, "model_not_found");
  EXPECT_THAT(early.error().message, HasSubstr("a (http://127.0.0.1:8000)"));
  EXPECT_THAT(early.error().message, HasSubstr("connection refused"));
  directory.discovered(0, {"x"});
  EXPECT_TRUE(directory.require("x", 1h));
  const auto late = directory.require("y", 1h);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().message, "The provided model 'y' is not supported by the Batch API.");
}

TEST(ModelDirectory, NobodyWaitsForAnUpstreamThatGaveUpOrAfterClose) {
  ModelDirectory directory({upstream("a", {})}, "");
  directory.gave_up(0, "no model file");
  const auto failed = directory.require("x", 1h);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, ErrorKind::not_found);
  EXPECT_THAT(failed.error().message, HasSubstr("no model file"));
  ModelDirectory silent({upstream("b", {})}, "");
  silent.close();
  EXPECT_EQ(silent.require("x", 1h).error().kind, ErrorKind::unavailable);
}

TEST(ModelDirectory, ListsPublicNamesOnce) {
  const ModelDirectory directory({upstream("a", {"m"}, {{"gpt", "m"}}), upstream("b", {"m", "k"})},
                                 "");
  std::vector<std::string> ids;
  for (const auto& model : directory.list()) ids.push_back(model.id + "@" + model.owned_by);
  EXPECT_EQ(ids, (std::vector<std::string>{"gpt@a", "k@b", "m@a"}));
}

}  // namespace
}  // namespace offpeak
