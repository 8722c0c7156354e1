#include "pipeline/intake/intake.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

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
      if (model != "unknown" && !model.empty()) return {};
      return fail(ErrorKind::not_found, "The provided model 'unknown' is not supported.");
    };
    auto verdict = run_intake(blobs, random, limits, {BatchId("batch_1"), endpoint, input, check});
    EXPECT_TRUE(verdict);
    return *verdict;
  }

  std::vector<LineError> errors(const std::string& text) {
    const auto verdict = run(text);
    const auto* const found = std::get_if<std::vector<LineError>>(&verdict);
    EXPECT_FALSE(RowIndexReader::open(blobs, BatchId("batch_1"))) << "a refused file has no index";
    return found != nullptr ? *found : std::vector<LineError>();
  }

  bool accepted(const std::string& text) {
    return std::holds_alternative<IntakeSummary>(run(text));
  }

  std::string endpoint = "/v1/chat/completions";
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

TEST_F(IntakeTest, AFileWithoutRowsIsEmpty) {
  for (const auto* text : {"", "\n\n", " \r\n\t\n"}) {
    const auto found = errors(text);
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0], (LineError{.code = "empty_file",
                                   .message = "The input file is empty. Please ensure that the "
                                              "batch contains at least one request."}));
  }
}

TEST_F(IntakeTest, RowsUpToTheLimit) {
  const auto rows = [](int count) {
    std::string text = "\n";
    for (int i = 0; i < count; ++i) text += row(fmt::format("r{}", i)) + "\n";
    return text;
  };
  limits.rows = 3;
  EXPECT_TRUE(accepted(rows(2)));
  EXPECT_TRUE(accepted(rows(3)));
  const auto found = errors(rows(4));
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].code, "too_many_tasks");
  EXPECT_EQ(found[0].param, "");
  EXPECT_EQ(found[0].line, 0u);
  EXPECT_NE(found[0].message.find("4 requests, more than the 3 allowed"), std::string::npos);
}

TEST_F(IntakeTest, BytesUpToTheLimit) {
  const std::string text = row("a");
  limits.file_bytes = text.size() + 1;
  EXPECT_TRUE(accepted(text));
  limits.file_bytes = text.size();
  EXPECT_TRUE(accepted(text));
  limits.file_bytes = text.size() - 1;
  const auto found = errors(text);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].code, "file_too_large");
  EXPECT_EQ(found[0].message,
            fmt::format("The batch input file is larger than the {} maximum for the m model. "
                        "Please try again with a smaller batch.",
                        text.size() - 1));
  EXPECT_EQ(errors("nonsense that is long enough" + text).at(0).message,
            fmt::format("The batch input file is larger than the {} maximum. Please try again "
                        "with a smaller batch.",
                        text.size() - 1));
}

TEST_F(IntakeTest, LineBytesUpToTheLimit) {
  const std::string text = row("a");
  limits.line_bytes = text.size();  // one more than the line, its "\n" not counted
  EXPECT_TRUE(accepted(text));
  limits.line_bytes = text.size() - 1;
  EXPECT_TRUE(accepted(text));
  limits.line_bytes = text.size() - 2;
  const auto found = errors("\n" + text);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].code, "line_too_long");
  EXPECT_EQ(found[0].line, 2u);
}

TEST_F(IntakeTest, EmbeddingInputsUpToTheLimit) {
  endpoint = "/v1/embeddings";
  const std::string text =
      R"({"custom_id":"a","method":"POST","url":"/v1/embeddings","body":{"model":"m","input":["x","y"]}})"
      "\n"
      R"({"custom_id":"b","method":"POST","url":"/v1/embeddings","body":{"model":"m","input":"z"}})";
  limits.embedding_inputs = 4;
  EXPECT_TRUE(accepted(text));
  limits.embedding_inputs = 3;
  EXPECT_TRUE(accepted(text));
  limits.embedding_inputs = 2;
  const auto found = errors(text);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].code, "too_many_tasks");
  EXPECT_EQ(found[0].param, "body.input");
  EXPECT_NE(found[0].message.find("3 embedding inputs"), std::string::npos);
}

TEST_F(IntakeTest, ListedErrorsUpToTheLimit) {
  limits.listed_errors = 3;
  EXPECT_EQ(errors("bad\nbad\n").size(), 2u);
  EXPECT_EQ(errors("bad\nbad\nbad\n").size(), 3u);
  const auto found = errors("bad\nbad\nbad\nbad\n");
  ASSERT_EQ(found.size(), 4u);
  EXPECT_EQ(found[3].code, "too_many_errors");
  EXPECT_EQ(found[3].line, 0u);
  EXPECT_NE(found[3].message.find("1 more errors"), std::string::npos);
}

TEST_F(IntakeTest, AMessageDoesNotRepeatAnIdOfAnyLength) {
  std::string id;
  for (int i = 0; i < 5000; ++i) id += "é";
  const auto found = errors(row("a") + row(id) + row(id));
  ASSERT_EQ(found.size(), 1u);
  EXPECT_LE(found[0].message.size(), 1'003u);
  EXPECT_TRUE(found[0].message.starts_with("The custom_id 'é"));
  EXPECT_TRUE(found[0].message.ends_with("é…"));
}

TEST_F(IntakeTest, UnlimitedIsUnlimited) {
  const auto most = std::numeric_limits<std::uint64_t>::max();
  limits = {.rows = most, .file_bytes = most, .embedding_inputs = most, .listed_errors = most};
  EXPECT_TRUE(accepted(row("a") + row("b")));
  EXPECT_EQ(errors("bad\nbad\n").size(), 2u);
}

TEST_F(IntakeTest, AModelThatIsMissingIsAskedForWhereThereIsNoDefault) {
  endpoint = "/v1/moderations";
  const auto found =
      errors(R"({"custom_id":"a","method":"POST","url":"/v1/moderations","body":{"input":"x"}})");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0], (LineError{.code = "invalid_request",
                                 .message = "Model parameter is required.",
                                 .param = "body.model",
                                 .line = 1}));
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
