// Pieces that several kinds of answers are made of; for responses.cc, media_answers.cc and
// event_stream.cc.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>

#include "sim/responses.h"

namespace offpeak::sim {

template <class... Args>
void put(std::string& out, fmt::format_string<Args...> format, Args&&... args) {
  fmt::format_to(std::back_inserter(out), format, std::forward<Args>(args)...);
}

/// Differs from body to body and from seed to seed.
std::uint64_t answer_key(const AnswerContext& c);
std::string usage_text(const AnswerContext& c);
/// What the model says: "echo <hash>: <last text>".
std::string answer_text(const AnswerContext& c);
std::string_view finish_reason(const AnswerContext& c);
/// `{"id":…,"object":…,"created":…,"model":…,`
void put_head(const AnswerContext& c, std::string_view prefix, std::string_view object,
              std::string& out);
/// `"offpeak_sim":{…}}`
void put_join(const AnswerContext& c, std::string& out);
/// The Responses API's object: in progress without output, or completed.
void put_response(const AnswerContext& c, bool completed, std::string& out);
/// The one item of its output, as it begins or as it ends.
void put_message(const AnswerContext& c, bool completed, std::string& out);

void put_moderation(const AnswerContext& c, std::string& out);
void put_images(const AnswerContext& c, std::string& out);
void put_video(const AnswerContext& c, std::string& out);

}  // namespace offpeak::sim
