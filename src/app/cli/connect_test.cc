#include "app/cli/connect.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace offpeak::cli {
namespace {

class ResolveTarget : public testing::Test {
 protected:
  ResolveTarget() {
    dir_ =
        std::filesystem::temp_directory_path() / ("offpeak-connect-" + std::to_string(::getpid()));
    std::filesystem::create_directories(dir_);
    std::ofstream(dir_ / "default.key") << "opk_default\n";
    options_.data_dir = dir_.string();
  }
  ~ResolveTarget() override { std::filesystem::remove_all(dir_); }

  Endpoint resolve(const std::map<std::string, std::string>& environment) {
    const auto target = resolve_target(options_, environment);
    EXPECT_TRUE(target);
    return target ? target->endpoint : Endpoint{};
  }

  std::filesystem::path dir_;
  CommonOptions options_;
};

TEST_F(ResolveTarget, DefaultsToTheLocalServerAndItsKey) {
  const auto endpoint = resolve({});
  EXPECT_EQ(endpoint.base_url, "http://127.0.0.1:2424/v1");
  EXPECT_EQ(endpoint.api_key, "opk_default");
}

TEST_F(ResolveTarget, TheFlagBeatsTheEnvironment) {
  options_.base_url = "http://a:1";
  EXPECT_EQ(resolve({{"OFFPEAK_BASE_URL", "http://b:1"}}).base_url, "http://a:1/v1");
  options_.base_url.clear();
  EXPECT_EQ(
      resolve({{"OFFPEAK_BASE_URL", "http://b:1/v1/"}, {"OPENAI_BASE_URL", "http://c"}}).base_url,
      "http://b:1/v1");
  EXPECT_EQ(resolve({{"OPENAI_BASE_URL", "https://c/openai/v1"}}).base_url, "https://c/openai/v1");
}

TEST_F(ResolveTarget, KeysGoOnlyWhereTheyBelong) {
  EXPECT_EQ(resolve({{"OFFPEAK_API_KEY", "x"}, {"OPENAI_API_KEY", "y"}}).api_key, "x");
  EXPECT_EQ(resolve({{"OPENAI_API_KEY", "sk-real"}}).api_key, "opk_default");
  EXPECT_EQ(resolve({{"OPENAI_API_KEY", "opk_other"}}).api_key, "opk_other");
  EXPECT_EQ(resolve({{"OPENAI_API_KEY", "sk"}, {"OPENAI_BASE_URL", "http://h"}}).api_key, "sk");
  EXPECT_EQ(resolve({{"OFFPEAK_BASE_URL", "http://elsewhere"}}).api_key, "");
  EXPECT_EQ(resolve({{"OFFPEAK_BASE_URL", "http://localhost:9"}}).api_key, "opk_default");
}

TEST_F(ResolveTarget, AWrongUrlIsAUsageError) {
  options_.base_url = "localhost:2424";
  const auto target = resolve_target(options_, {});
  ASSERT_FALSE(target);
  EXPECT_EQ(target.error().exit, ExitCode::usage);
  EXPECT_TRUE(target.error().what.starts_with("--base-url must be a URL"));
}

}  // namespace
}  // namespace offpeak::cli
