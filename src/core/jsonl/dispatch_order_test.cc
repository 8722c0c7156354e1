#include "core/jsonl/dispatch_order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <numeric>

#include "base/random.h"

namespace offpeak {
namespace {

class Prompts final : public PromptSource {
 public:
  explicit Prompts(const std::vector<std::string>& prompts) : prompts_(prompts) {}

  Result<std::size_t> read(std::uint32_t row, std::size_t depth, std::span<char> out) override {
    ++reads;
    const auto& prompt = prompts_[row];
    if (depth >= prompt.size()) return 0;
    const auto count = std::min(out.size(), prompt.size() - depth);
    std::memcpy(out.data(), prompt.data() + depth, count);
    return count;
  }

  std::size_t reads = 0;

 private:
  const std::vector<std::string>& prompts_;
};

std::vector<std::uint32_t> order_of(const std::vector<std::string>& prompts) {
  DispatchOrder order;
  for (const auto& prompt : prompts) order.add(prompt);
  Prompts source(prompts);
  EXPECT_TRUE(order.finish(source));
  std::vector<std::uint32_t> rows;
  for (std::size_t i = 0; i < order.rows(); ++i) rows.push_back(order.row_at(i));
  return rows;
}

std::vector<std::uint32_t> expected_order(const std::vector<std::string>& prompts) {
  std::vector<std::uint32_t> rows(prompts.size());
  std::iota(rows.begin(), rows.end(), 0u);
  std::ranges::sort(rows, {},
                    [&](auto row) { return std::pair(std::string_view(prompts[row]), row); });
  return rows;
}

TEST(DispatchOrder, IsTheStableOrderOfThePromptBytes) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SeededRandom random(seed);
    // Few letters and a few long shared stems give deep ties, equal prompts and prefixes of each
    // other.
    std::vector<std::string> stems = {"", std::string(700, 'x'), std::string(1300, 'x') + "y"};
    std::vector<std::string> prompts;
    for (int i = 0; i < 300; ++i) {
      std::string prompt = stems[random.u64() % stems.size()];
      for (auto length = random.u64() % 24; length > 0; --length) {
        prompt += "ab\xFF["[random.u64() % 4];
      }
      prompts.push_back(prompt);
    }
    EXPECT_EQ(order_of(prompts), expected_order(prompts)) << "seed " << seed;
  }
}

TEST(DispatchOrder, OneSharedTemplateNeedsNoSecondLook) {
  std::vector<std::string> prompts;
  SeededRandom random(3);
  for (int i = 0; i < 1000; ++i) prompts.push_back(std::string(2000, 't') + random.hex(16));
  DispatchOrder order;
  for (const auto& prompt : prompts) order.add(prompt);
  Prompts source(prompts);
  ASSERT_TRUE(order.finish(source));
  EXPECT_LT(source.reads, 100u);
}

TEST(DispatchOrder, EqualPromptsKeepFileOrderAndEndQuickly) {
  const std::vector<std::string> prompts(500, std::string(100'000, 'z'));
  EXPECT_EQ(order_of(prompts), expected_order(prompts));
}

TEST(DispatchOrder, EmptyBatchAndEmptyPrompts) {
  EXPECT_TRUE(order_of({}).empty());
  EXPECT_EQ(order_of({"b", "", "a", ""}), (std::vector<std::uint32_t>{1, 3, 2, 0}));
}

}  // namespace
}  // namespace offpeak
