// OpenAI-shaped answers, byte for byte a function of what is in AnswerContext.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "sim/request_facts.h"

namespace offpeak::sim {

enum class Endpoint { chat, completions, embeddings, responses, moderations, images, videos };

/// Whether a body may leave the model out.
bool may_omit_model(Endpoint endpoint);

/// With or without the leading /v1.
std::optional<Endpoint> endpoint_of(std::string_view path);

struct Usage {
  std::uint32_t prompt_tokens = 0;
  std::uint32_t completion_tokens = 0;
  std::uint32_t cached_tokens = 0;
};

struct AnswerContext {
  Endpoint endpoint = Endpoint::chat;
  const RequestFacts& facts;
  std::string_view model;
  Usage usage;
  std::string_view usage_json = {};  // empty: made from `usage`
  std::uint64_t body_hash = 0;
  std::uint64_t sequence = 0;
  std::uint64_t seed = 0;
  std::int64_t created = 0;  // Unix seconds
  std::uint32_t dimensions = 0;
};

/// prompt_tokens = ceil(body bytes / 4); completion_tokens = seeded 8..64, at most what was asked
/// for.
Usage usage_of(Endpoint endpoint, const RequestFacts& facts, std::uint64_t body_bytes,
               std::uint64_t key);

/// Appends the answer's JSON, one line, with the member
/// "offpeak_sim":{"body_xxh3":"<16 hex>","seq":N} by which a test joins it to its request.
void render_answer(const AnswerContext& context, std::string& out);

bool can_stream(Endpoint endpoint);

/// Appends the whole event stream, the last event included. REQUIRES: can_stream(endpoint).
void render_event_stream(const AnswerContext& context, std::string& out);

void render_error(int status, std::string_view message, std::string_view code, std::string& out);
std::string render_models(std::span<const std::string> models, std::int64_t created);

}  // namespace offpeak::sim
