// Answers about moderation, images and videos.
#include <array>

#include "sim/answer_parts.h"
#include "sim/json_text.h"
#include "sim/mix.h"

namespace offpeak::sim {
namespace {

struct Category {
  std::string_view name;
  std::string_view inputs;
};
constexpr std::string_view kText = R"(["text"])";
constexpr std::string_view kTextAndImage = R"(["text","image"])";
constexpr std::array<Category, 13> kCategories = {{
    {"harassment", kText},
    {"harassment/threatening", kText},
    {"hate", kText},
    {"hate/threatening", kText},
    {"illicit", kText},
    {"illicit/violent", kText},
    {"self-harm", kTextAndImage},
    {"self-harm/instructions", kTextAndImage},
    {"self-harm/intent", kTextAndImage},
    {"sexual", kTextAndImage},
    {"sexual/minors", kText},
    {"violence", kTextAndImage},
    {"violence/graphic", kTextAndImage},
}};

/// A PNG of one pixel.
constexpr std::string_view kPixel =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5Erk"
    "Jggg==";

/// `"key":{"category":value,…}`, the value from `value_of(index)`.
void put_categories(std::string_view key, const auto& value_of, std::string& out) {
  put(out, R"("{}":{{)", key);
  for (std::size_t i = 0; i < kCategories.size(); ++i) {
    put(out, R"({}"{}":{})", i == 0 ? "" : ",", kCategories[i].name, value_of(i));
  }
  out += '}';
}

}  // namespace

void put_moderation(const AnswerContext& c, std::string& out) {
  put(out, R"({{"id":"modr-{:016x}","model":)", answer_key(c));
  out += json_string(c.model);
  out += R"(,"results":[)";
  for (std::uint32_t i = 0; i < c.facts.inputs; ++i) {
    out += i > 0 ? R"(,{"flagged":false,)" : R"({"flagged":false,)";
    put_categories("categories", [](std::size_t) { return "false"; }, out);
    out += ',';
    const auto score = [&](std::size_t at) {
      return fmt::format("{:.6f}", mix_unit(c.body_hash + i * kCategories.size() + at) / 100);
    };
    put_categories("category_scores", score, out);
    out += ',';
    put_categories(
        "category_applied_input_types", [](std::size_t at) { return kCategories[at].inputs; }, out);
    out += '}';
  }
  out += "],";
  put_join(c, out);
}

void put_images(const AnswerContext& c, std::string& out) {
  put(out, R"({{"created":{},"background":"opaque","data":[)", c.created);
  for (std::uint32_t i = 0; i < c.facts.images; ++i) {
    put(out, R"({}{{"b64_json":"{}"}})", i > 0 ? "," : "", kPixel);
  }
  put(out, R"(],"output_format":"png","quality":"low","size":"1024x1024","usage":{},)",
      usage_text(c));
  put_join(c, out);
}

void put_video(const AnswerContext& c, std::string& out) {
  put(out,
      R"({{"id":"video_{:016x}","object":"video","created_at":{},"status":"queued","progress":0,)"
      R"("completed_at":null,"expires_at":null,"error":null,"remixed_from_video_id":null,)"
      R"("seconds":"4","size":"720x1280","model":)",
      answer_key(c), c.created);
  out += json_string(c.model);
  out += R"(,"prompt":)";
  out += json_string(c.facts.last_text);
  out += ',';
  put_join(c, out);
}

}  // namespace offpeak::sim
