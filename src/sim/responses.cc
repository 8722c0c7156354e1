#include "sim/responses.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

#include "sim/answer_parts.h"
#include "sim/json_text.h"
#include "sim/mix.h"

namespace offpeak::sim {
namespace {

constexpr std::uint32_t kMinCompletionTokens = 8;
constexpr std::uint32_t kMaxCompletionTokens = 64;

}  // namespace

std::uint64_t answer_key(const AnswerContext& c) {
  return mix(c.body_hash ^ c.seed);
}

std::string usage_text(const AnswerContext& c) {
  if (!c.usage_json.empty()) return std::string(c.usage_json);
  const auto& [prompt, completion, cached] = c.usage;
  if (c.endpoint == Endpoint::embeddings) {
    return fmt::format(R"({{"prompt_tokens":{0},"total_tokens":{0}}})", prompt);
  }
  if (c.endpoint == Endpoint::images) {
    return fmt::format(
        R"({{"input_tokens":{0},"input_tokens_details":{{"text_tokens":{0},"image_tokens":0}},)"
        R"("output_tokens":{1},"output_tokens_details":{{"text_tokens":0,"image_tokens":{1}}},)"
        R"("total_tokens":{2}}})",
        prompt, completion, prompt + completion);
  }
  if (c.endpoint == Endpoint::responses) {
    return fmt::format(R"({{"input_tokens":{},"input_tokens_details":{{"cached_tokens":{},)"
                       R"("cache_write_tokens":0}},"output_tokens":{},)"
                       R"("output_tokens_details":{{"reasoning_tokens":0}},"total_tokens":{}}})",
                       prompt, cached, completion, prompt + completion);
  }
  return fmt::format(R"({{"prompt_tokens":{},"completion_tokens":{},"total_tokens":{},)"
                     R"("prompt_tokens_details":{{"cached_tokens":{}}}}})",
                     prompt, completion, prompt + completion, cached);
}

std::string answer_text(const AnswerContext& c) {
  return fmt::format("echo {:016x}: {}", c.body_hash, c.facts.last_text);
}

std::string_view finish_reason(const AnswerContext& c) {
  return c.facts.max_tokens && *c.facts.max_tokens <= c.usage.completion_tokens ? "length" : "stop";
}

void put_head(const AnswerContext& c, std::string_view prefix, std::string_view object,
              std::string& out) {
  put(out, R"({{"id":"{}-{:016x}","object":"{}","created":{},"model":")", prefix, answer_key(c),
      object, c.created);
  append_escaped(c.model, out);
  out += "\",";
}

void put_join(const AnswerContext& c, std::string& out) {
  put(out, R"("offpeak_sim":{{"body_xxh3":"{:016x}","seq":{}}}}})", c.body_hash, c.sequence);
}

namespace {

void put_tail(const AnswerContext& c, std::string& out) {
  put(out, R"("usage":{},)", usage_text(c));
  put_join(c, out);
}

void put_text(const AnswerContext& c, std::string& out) {
  append_escaped(answer_text(c), out);
}

void put_chat(const AnswerContext& c, std::string& out) {
  put_head(c, "chatcmpl", "chat.completion", out);
  out += R"("choices":[{"index":0,"message":{"role":"assistant","content":")";
  put_text(c, out);
  put(out, R"(","refusal":null}},"logprobs":null,"finish_reason":"{}"}}],)", finish_reason(c));
  put_tail(c, out);
}

void put_completion(const AnswerContext& c, std::string& out) {
  put_head(c, "cmpl", "text_completion", out);
  out += R"("choices":[{"text":")";
  put_text(c, out);
  put(out, R"(","index":0,"logprobs":null,"finish_reason":"{}"}}],)", finish_reason(c));
  put_tail(c, out);
}

void put_base64(std::span<const float> values, std::string& out) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  static_assert(std::endian::native == std::endian::little);
  const auto bytes = std::as_bytes(values);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::size_t size = std::min<std::size_t>(3, bytes.size() - at);
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < size; ++i) {
      group |= std::to_integer<std::uint32_t>(bytes[at + i]) << (16 - 8 * i);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      out += i <= size ? kDigits[(group >> (18 - 6 * i)) & 63] : '=';
    }
  }
}

void put_embedding(const AnswerContext& c, std::uint32_t index, std::string& out) {
  std::vector<float> values(c.facts.dimensions.value_or(c.dimensions));
  const float scale = 1.0F / std::sqrt(static_cast<float>(std::max<std::size_t>(values.size(), 1)));
  auto key = mix(c.body_hash ^ c.seed) + index;
  for (auto& value : values) {
    value = (static_cast<float>(mix_unit(key)) * 2 - 1) * scale;
    key = mix(key);
  }
  put(out, R"({{"object":"embedding","index":{},"embedding":)", index);
  if (c.facts.base64) {
    out += '"';
    put_base64(values, out);
    out += "\"}";
    return;
  }
  out += '[';
  for (const float value : values) put(out, "{:.7f},", value);
  if (out.back() == ',') out.pop_back();
  out += "]}";
}

void put_embeddings(const AnswerContext& c, std::string& out) {
  out += R"({"object":"list","data":[)";
  for (std::uint32_t i = 0; i < c.facts.inputs; ++i) {
    if (i > 0) out += ',';
    put_embedding(c, i, out);
  }
  out += R"(],"model":")";
  append_escaped(c.model, out);
  out += "\",";
  put_tail(c, out);
}

}  // namespace

void put_message(const AnswerContext& c, bool completed, std::string& out) {
  put(out, R"({{"type":"message","id":"msg_{:016x}","status":"{}","role":"assistant","content":[)",
      answer_key(c), completed ? "completed" : "in_progress");
  if (completed) {
    out += R"({"type":"output_text","annotations":[],"text":")";
    put_text(c, out);
    out += "\"}";
  }
  out += "]}";
}

void put_response(const AnswerContext& c, bool completed, std::string& out) {
  put(out, R"({{"id":"resp_{:016x}","object":"response","created_at":{},"status":"{}",)",
      answer_key(c), c.created, completed ? "completed" : "in_progress");
  out += R"("error":null,"incomplete_details":null,"instructions":null,"metadata":{},"model":")";
  append_escaped(c.model, out);
  out += R"(","parallel_tool_calls":true,"tool_choice":"auto","tools":[],"output":[)";
  if (completed) put_message(c, true, out);
  out += "],";
  if (completed) return put_tail(c, out);
  out += R"("usage":null})";
}

std::optional<Endpoint> endpoint_of(std::string_view path) {
  if (path.starts_with("/v1/")) path.remove_prefix(3);
  if (path == "/chat/completions") return Endpoint::chat;
  if (path == "/completions") return Endpoint::completions;
  if (path == "/embeddings") return Endpoint::embeddings;
  if (path == "/responses") return Endpoint::responses;
  if (path == "/moderations") return Endpoint::moderations;
  if (path == "/images/generations" || path == "/images/edits") return Endpoint::images;
  if (path == "/videos") return Endpoint::videos;
  return std::nullopt;
}

bool may_omit_model(Endpoint endpoint) {
  return endpoint != Endpoint::chat && endpoint != Endpoint::completions &&
         endpoint != Endpoint::embeddings;
}

Usage usage_of(Endpoint endpoint, const RequestFacts& facts, std::uint64_t body_bytes,
               std::uint64_t key) {
  Usage usage{.prompt_tokens = static_cast<std::uint32_t>((body_bytes + 3) / 4)};
  if (!can_stream(endpoint) && endpoint != Endpoint::images) return usage;
  const auto drawn = mix(key) % (kMaxCompletionTokens - kMinCompletionTokens + 1);
  usage.completion_tokens = kMinCompletionTokens + static_cast<std::uint32_t>(drawn);
  if (facts.max_tokens)
    usage.completion_tokens = std::min(usage.completion_tokens, *facts.max_tokens);
  return usage;
}

void render_answer(const AnswerContext& context, std::string& out) {
  switch (context.endpoint) {
    case Endpoint::chat:
      return put_chat(context, out);
    case Endpoint::completions:
      return put_completion(context, out);
    case Endpoint::embeddings:
      return put_embeddings(context, out);
    case Endpoint::responses:
      return put_response(context, true, out);
    case Endpoint::moderations:
      return put_moderation(context, out);
    case Endpoint::images:
      return put_images(context, out);
    case Endpoint::videos:
      return put_video(context, out);
  }
}

void render_error(int status, std::string_view message, std::string_view code, std::string& out) {
  const std::string_view type = status == 429   ? "rate_limit_error"
                                : status == 401 ? "authentication_error"
                                : status >= 500 ? "server_error"
                                                : "invalid_request_error";
  put(out, R"({{"error":{{"message":{},"type":"{}","param":null,"code":{}}}}})",
      json_string(message), type, code.empty() ? std::string("null") : json_string(code));
}

std::string render_models(std::span<const std::string> models, std::int64_t created) {
  std::string out = R"({"object":"list","data":[)";
  for (const auto& model : models) {
    if (out.back() == '}') out += ',';
    put(out, R"({{"id":{},"object":"model","created":{},"owned_by":"offpeak-sim"}})",
        json_string(model), created);
  }
  return out += "]}";
}

}  // namespace offpeak::sim
