#include "pipeline/intake/intake.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "core/jsonl/json_text.h"
#include "pipeline/intake/row_index_reader.h"
#include "platform/blob/memory_blob_store.h"

namespace offpeak {
namespace {

std::string row(std::string_view id, std::string_view content = "hi",
                std::string_view model = "m") {
  return fmt::format(R"({{"custom_id":"{}","method":"POST","url":"/v1/chat/completions",)"
                     R"("body":{{"model":"{}","messages":[{{"role":"user","content":"{}"}}]}}}})"
                     "\n",
                     id, model, content);
}

class IntakeTest : public testing::Test {
 protected:
  IntakeVerdict run(const std::string& text) {
    blobs.remove(BlobKey("in")).value();
    auto writer = blobs.create(BlobKey("in")).value();
    EXPECT_TRUE(writer->append(text));
    EXPECT_TRUE(writer->commit());
    const auto input = FileReader::open(blobs, {{BlobKey("in"), text.size()}}).value();
    const ModelCheck check = [](std::string_view model) -> Status {
      if (model != "unknown") return {};
      return fail(ErrorKind::not_found, "The provided model 'unknown' is not supported.");
    };
    auto verdict = run_intake(blobs, random, limits,
                              {BatchId("batch_1"), "/v1/chat/completions", input, check});
    EXPECT_TRUE(verdict);
    return *verdict;
  }

  std::vector<LineError> errors(const std::string& text) {
    const auto verdict = run(text);
    const auto* const found = std::get_if<std::vector<LineError>>(&verdict);
    EXPECT_FALSE(RowIndexReader::open(blobs, BatchId("batch_1"))) << "a refused file has no index";
    return found != nullptr ? *found : std::vector<LineError>();
  }

  MemoryBlobStore blobs;
  SeededRandom random{5};
  IntakeLimits limits;
};

TEST_F(IntakeTest, WritesTheIndexOfAGoodFile) {
  const std::string text = row("a", "zebra") + "\r\n\n" + row("b", "apple") + row("c", "mango");
  const auto verdict = run(text);
  ASSERT_TRUE(std::holds_alternative<IntakeSummary>(verdict));
  EXPECT_EQ(std::get<IntakeSummary>(verdict).rows, 3u);
  EXPECT_EQ(std::get<IntakeSummary>(verdict).requested_model, "m");
  const auto index = RowIndexReader::open(blobs, BatchId("batch_1")).value();
  EXPECT_EQ(index.rows(), 3u);
  EXPECT_EQ(index.order().value(), (std::vector<std::uint32_t>{1, 2, 0}));
  const auto entry = index.entry(1).value();
  const auto line = std::string_view(text).substr(entry.offset, entry.length);
  EXPECT_EQ(entry.parts.custom_id.of(line), "\"b\"");
  EXPECT_TRUE(entry.parts.body.of(line).ends_with("}]}"));
}

TEST_F(IntakeTest, CollectsTheErrorsOfAllLinesWithTheirNumbers) {
  const auto found = errors(row("a") + "nonsense\n\n" + row("b", "x", "other") + row("a") +
                            row("c", "x", "unknown") + "{}\n");
  ASSERT_EQ(found.size(), 5u);
  EXPECT_EQ(found[0].code, "invalid_json_line");
  EXPECT_EQ(found[0].line, 2u);
  EXPECT_EQ(found[1].code, "mismatched_model");
  EXPECT_EQ(found[1].line, 4u);
  EXPECT_EQ(found[2].code, "duplicate_custom_id");
  EXPECT_EQ(found[2].line, 5u);
  EXPECT_EQ(found[3].code, "model_not_found");
  EXPECT_EQ(found[4].code, "missing_required_parameter");
  EXPECT_EQ(found[4].line, 7u);
}

TEST_F(IntakeTest, FindsDuplicatesThatAreSpelledDifferently) {
  const auto found = errors(row("ab") + row("x") + row("a\\u0062"));
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].line, 3u);
  EXPECT_NE(found[0].message.find("'ab'"), std::string::npos);
}

TEST_F(IntakeTest, SaysHowManyErrorsItDoesNotList) {
  limits.listed_errors = 3;
  std::string text = row("dup") + row("dup");
  for (int i = 0; i < 20; ++i) text += "bad\n";
  const auto found = errors(text);
  ASSERT_EQ(found.size(), 4u);
  EXPECT_EQ(found[0].code, "duplicate_custom_id");
  EXPECT_EQ(found[0].line, 2u);
  EXPECT_EQ(found[2].line, 4u);
  EXPECT_NE(found[3].message.find("18 more errors"), std::string::npos) << found[3].message;
}

TEST_F(IntakeTest, EnforcesTheLimitsOfTheFile) {
  EXPECT_EQ(errors("\n\n").at(0).code, "empty_file");
  limits.rows = 2;
  const auto too_many = errors(row("a") + row("b") + row("c"));
  ASSERT_EQ(too_many.size(), 1u);
  EXPECT_EQ(too_many[0].code, "too_many_tasks");
  EXPECT_NE(too_many[0].message.find("3 requests"), std::string::npos);
  limits = {};
  limits.line_bytes = 200;
  EXPECT_EQ(errors(row("a") + row("b", std::string(300, 'x'))).at(0).code, "line_too_long");
  limits = {};
  limits.file_bytes = 10;
  EXPECT_EQ(errors(row("a")).at(0).code, "file_too_large");
}

TEST_F(IntakeTest, RunsAgainAfterAnUnfinishedRun) {
  ASSERT_TRUE(blobs.open_append(BlobKey("batches/batch_1/index")).value()->append("half an index"));
  EXPECT_FALSE(RowIndexReader::open(blobs, BatchId("batch_1")));
  run(row("a"));
  EXPECT_TRUE(RowIndexReader::open(blobs, BatchId("batch_1")));
}

TEST_F(IntakeTest, ADamagedIndexIsAnErrorNotAWrongRow) {
  run(row("a") + row("b"));
  auto blob = blobs.open_append(BlobKey("batches/batch_1/index")).value();
  std::string bytes(blob->size(), '\0');
  ASSERT_TRUE(blob->read_at(0, bytes));
  bytes[3] ^= 1;
  ASSERT_TRUE(blob->truncate(0));
  ASSERT_TRUE(blob->append(bytes));
  const auto index = RowIndexReader::open(blobs, BatchId("batch_1")).value();
  EXPECT_FALSE(index.entry(0));
  EXPECT_TRUE(index.entry(1));
}

}  // namespace
}  // namespace offpeak
