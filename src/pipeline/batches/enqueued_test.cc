#include "pipeline/batches/enqueued.h"

#include <gtest/gtest.h>

namespace offpeak {
namespace {

const ProjectId kProject("proj_1");

class EnqueuedTest : public testing::Test {
 protected:
  std::optional<LineError> add(std::string batch, std::uint64_t tokens, std::uint64_t requests = 1,
                               ProjectId project = kProject, std::string model = "m") {
    return book.add(BatchId(std::move(batch)), {std::move(project), model, tokens, requests}, model,
                    limit);
  }

  EnqueuedBook book;
  EnqueuedLimit limit;
};

TEST_F(EnqueuedTest, UnlimitedUnlessSaid) {
  const auto most = std::numeric_limits<std::uint64_t>::max();
  EXPECT_FALSE(add("a", most, most));
}

TEST_F(EnqueuedTest, TokensUpToTheLimit) {
  limit.tokens = 90'000;
  EXPECT_FALSE(add("a", 89'999));
  EXPECT_FALSE(add("b", 1)) << "the limit itself is allowed";
  const auto error = add("c", 1);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, "token_limit_exceeded");
  EXPECT_EQ(error->param, "");
  EXPECT_EQ(error->line, 0u);
  EXPECT_EQ(error->message,
            "Enqueued token limit reached for m in organization proj_1. Limit: 90,000 enqueued "
            "tokens. Please try again once some in_progress batches have been completed.");
  book.remove(BatchId("b"));
  EXPECT_FALSE(add("c", 1));
  EXPECT_TRUE(add("d", 90'001)) << "one batch alone may be too large";
}

TEST_F(EnqueuedTest, RequestsUpToTheLimit) {
  limit.requests = 1'000'000;
  EXPECT_FALSE(add("a", 1, 999'999));
  EXPECT_FALSE(add("b", 1, 1));
  const auto error = add("c", 1, 1);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->message,
            "Enqueued request limit reached for m in organization proj_1. Limit: 1,000,000 "
            "enqueued requests. Please try again once some in_progress batches have been "
            "completed.");
}

TEST_F(EnqueuedTest, ProjectsAndModelsCountApart) {
  limit.tokens = 10;
  EXPECT_FALSE(add("a", 10));
  EXPECT_FALSE(add("b", 10, 1, ProjectId("proj_2")));
  EXPECT_FALSE(add("c", 10, 1, kProject, "other"));
  EXPECT_TRUE(add("d", 1));
}

TEST_F(EnqueuedTest, ABatchReplacesItself) {
  limit.tokens = 10;
  EXPECT_FALSE(add("a", 10));
  EXPECT_FALSE(add("a", 10));
  EXPECT_TRUE(add("a", 11));
  EXPECT_FALSE(add("b", 10)) << "a refused batch counts nothing";
}

TEST_F(EnqueuedTest, RestoredBatchesCountWhateverTheLimit) {
  limit.tokens = 10;
  book.restore(BatchId("a"), {kProject, "m", 50, 1});
  EXPECT_TRUE(add("b", 1));
  book.remove(BatchId("a"));
  EXPECT_FALSE(add("b", 1));
}

TEST(EnqueuedLimits, AModelsOwnLimitIsFoundUnderBothNames) {
  const EnqueuedLimits limits{.each_model = {.tokens = 1},
                              .models = {{"gpt-4o", {.tokens = 2}}, {"llama", {.tokens = 3}}}};
  EXPECT_EQ(limits.of("gpt-4o", "llama").tokens, 2u);
  EXPECT_EQ(limits.of("alias", "llama").tokens, 3u);
  EXPECT_EQ(limits.of("alias", "other").tokens, 1u);
}

}  // namespace
}  // namespace offpeak
