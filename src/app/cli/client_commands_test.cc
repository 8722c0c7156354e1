#include "app/cli/client_commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

namespace offpeak::cli {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::Pair;

class CommandLine : public testing::Test {
 protected:
  int parse(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "offpeak");
    CLI::App app;
    Command chosen;
    prepare_app(app);
    ClientHandlers handlers;
    handlers.run = [this](const RunOptions& options) {
      run_ = options;
      return 40;
    };
    handlers.batch_create = [this](const BatchCreateOptions& options) {
      create_ = options;
      return 41;
    };
    handlers.batch_wait = [this](const BatchWaitOptions& options) {
      wait_ = options;
      return 42;
    };
    handlers.file_check = [this](const FilePathOptions& options) {
      check_ = options;
      return 43;
    };
    handlers.batch_list = [this](const ListOptions& options) {
      list_ = options;
      return 44;
    };
    handlers.webhook_create = [this](const WebhookCreateOptions& options) {
      webhook_ = options;
      return 45;
    };
    handlers.webhook_rotate = [this](const WebhookRotateOptions& options) {
      rotate_ = options;
      return 46;
    };
    handlers.webhook_deliveries = [this](const WebhookDeliveriesOptions& options) {
      deliveries_ = options;
      return 47;
    };
    add_client_commands(app, chosen, std::move(handlers));
    testing::internal::CaptureStderr();
    testing::internal::CaptureStdout();
    const int status = run_app(app, static_cast<int>(arguments.size()), arguments.data(), chosen);
    err_ = testing::internal::GetCapturedStderr();
    out_ = testing::internal::GetCapturedStdout();
    return status;
  }

  RunOptions run_;
  BatchCreateOptions create_;
  BatchWaitOptions wait_;
  FilePathOptions check_;
  ListOptions list_;
  WebhookCreateOptions webhook_;
  WebhookRotateOptions rotate_;
  WebhookDeliveriesOptions deliveries_;
  std::string out_;
  std::string err_;
};

TEST_F(CommandLine, Run) {
  EXPECT_EQ(parse({"run", "-i", "in.jsonl", "-o", "out.jsonl", "--errors", "e.jsonl", "--window",
                   "48h", "--poll", "2s", "--base-url", "http://h", "--json"}),
            40);
  EXPECT_EQ(run_.input, "in.jsonl");
  EXPECT_EQ(run_.output, "out.jsonl");
  EXPECT_EQ(run_.errors, "e.jsonl");
  EXPECT_EQ(run_.window, "48h");
  EXPECT_EQ(run_.poll, 2s);
  EXPECT_EQ(run_.common.base_url, "http://h");
  EXPECT_TRUE(run_.common.json);
}

TEST_F(CommandLine, BatchCreateTakesMetadataAnywhere) {
  EXPECT_EQ(parse({"batch", "create", "--metadata", "a=1", "--metadata", "b=x=y", "file-1",
                   "--endpoint", "/v1/embeddings"}),
            41);
  EXPECT_EQ(create_.file_id, "file-1");
  EXPECT_EQ(create_.window, "24h");
  EXPECT_THAT(create_.metadata, ElementsAre(Pair("a", "1"), Pair("b", "x=y")));
}

TEST_F(CommandLine, BatchWait) {
  EXPECT_EQ(parse({"batch", "wait", "batch_1", "--timeout", "1.5m", "-o", "out"}), 42);
  EXPECT_EQ(wait_.id, "batch_1");
  EXPECT_EQ(wait_.timeout, 90s);
  EXPECT_EQ(wait_.output, "out");
}

TEST_F(CommandLine, Lists) {
  EXPECT_EQ(parse({"batch", "list", "--limit", "5", "--after", "batch_1"}), 44);
  EXPECT_EQ(list_.limit, 5);
  EXPECT_EQ(list_.after, "batch_1");
}

TEST_F(CommandLine, FileCheck) {
  EXPECT_EQ(parse({"file", "check", "x.jsonl"}), 43);
  EXPECT_EQ(check_.profile, LimitProfile::openai);
  EXPECT_EQ(parse({"file", "check", "x.jsonl", "--unlimited"}), 43);
  EXPECT_EQ(check_.profile, LimitProfile::unlimited);
}

TEST_F(CommandLine, Webhooks) {
  EXPECT_EQ(parse({"webhooks", "create", "--event", "batch.failed", "--name", "n", "--event",
                   "batch.expired", "--url", "https://h/"}),
            45);
  EXPECT_EQ(webhook_.name, "n");
  EXPECT_EQ(webhook_.url, "https://h/");
  EXPECT_THAT(webhook_.events, ElementsAre("batch.failed", "batch.expired"));
  EXPECT_EQ(parse({"webhook", "rotate", "whe_1", "--keep-old"}), 46) << "the singular will do";
  EXPECT_TRUE(rotate_.keep_old);
  EXPECT_EQ(parse({"webhooks", "deliveries", "whe_1", "--limit", "5"}), 47);
  EXPECT_EQ(deliveries_.delivery, "");
  EXPECT_EQ(deliveries_.limit, 5);
  EXPECT_EQ(parse({"webhooks", "deliveries", "whe_1", "whd_1"}), 47);
  EXPECT_EQ(deliveries_.delivery, "whd_1");
}

TEST_F(CommandLine, UsageErrorsAreTwoAndNameTheCommand) {
  EXPECT_EQ(parse({"run", "-i", "x"}), 2);
  EXPECT_NE(err_.find("see 'offpeak run --help'"), std::string::npos) << err_;
  for (const auto& arguments : std::vector<std::vector<const char*>>{
           {},
           {"nonsense"},
           {"batch"},
           {"batch", "get"},
           {"batch", "wait", "b", "--timeout", "soon"},
           {"batch", "create", "f", "--endpoint", "e", "--metadata", "novalue"},
           {"batch", "list", "--limit", "0"},
           {"webhooks"},
           {"webhooks", "create", "--name", "n"},
           {"webhooks", "replay", "whe_1"},
           {"webhooks", "deliveries", "whe_1", "--limit", "101"},
           {"file", "check", "a", "b"}}) {
    EXPECT_EQ(parse(arguments), 2) << testing::PrintToString(arguments);
    EXPECT_TRUE(err_.starts_with("offpeak: ")) << err_;
    EXPECT_EQ(out_, "");
  }
}

TEST_F(CommandLine, HelpAndVersionSucceed) {
  EXPECT_EQ(parse({"--version"}), 0);
  EXPECT_EQ(out_, "offpeak " OFFPEAK_VERSION "\n");
  EXPECT_EQ(parse({"--help"}), 0);
  EXPECT_NE(out_.find("6 wait timed out"), std::string::npos);
  EXPECT_EQ(parse({"batch", "wait", "--help"}), 0);
  EXPECT_NE(out_.find("--timeout"), std::string::npos);
}

}  // namespace
}  // namespace offpeak::cli
