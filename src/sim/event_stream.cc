// Server-sent events: answers with "stream": true.
#include "sim/answer_parts.h"
#include "sim/json_text.h"

namespace offpeak::sim {
namespace {

/// About one token.
constexpr std::size_t kPieceBytes = 4;

std::string_view take_piece(std::string_view& text) {
  std::size_t size = std::min(text.size(), kPieceBytes);
  while (size < text.size() && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) ++size;
  const auto piece = text.substr(0, size);
  text.remove_prefix(size);
  return piece;
}

void put_chunk(const AnswerContext& c, std::string_view choice, std::string_view usage,
               std::string& out) {
  const bool chat = c.endpoint == Endpoint::chat;
  out += "data: ";
  put_head(c, chat ? "chatcmpl" : "cmpl", chat ? "chat.completion.chunk" : "text_completion", out);
  put(out, R"("choices":[{}])", choice);
  if (c.facts.include_usage) put(out, R"(,"usage":{})", usage.empty() ? "null" : usage);
  out += "}\n\n";
}

std::string choice_of(const AnswerContext& c, std::string_view piece, std::string_view finish) {
  const auto text = json_string(piece);
  const auto reason = finish.empty() ? std::string("null") : json_string(finish);
  if (c.endpoint == Endpoint::completions) {
    return fmt::format(R"({{"index":0,"text":{},"logprobs":null,"finish_reason":{}}})", text,
                       reason);
  }
  const auto delta = finish.empty() ? fmt::format(R"("content":{})", text) : std::string();
  return fmt::format(R"({{"index":0,"delta":{{{}}},"logprobs":null,"finish_reason":{}}})", delta,
                     reason);
}

void put_completion_stream(const AnswerContext& c, std::string& out) {
  if (c.endpoint == Endpoint::chat) {
    put_chunk(c,
              R"({"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,)"
              R"("finish_reason":null})",
              {}, out);
  }
  const auto text = answer_text(c);
  for (std::string_view rest = text; !rest.empty();) {
    put_chunk(c, choice_of(c, take_piece(rest), ""), {}, out);
  }
  put_chunk(c, choice_of(c, "", finish_reason(c)), {}, out);
  if (c.facts.include_usage) put_chunk(c, "", usage_text(c), out);
  out += "data: [DONE]\n\n";
}

/// Numbers the events of one response.
class ResponseEvents {
 public:
  ResponseEvents(const AnswerContext& context, std::string& out)
      : c_(context), out_(out), item_(fmt::format("msg_{:016x}", answer_key(context))) {}

  void response(std::string_view type, bool completed) {
    begin(type);
    out_ += R"(,"response":)";
    put_response(c_, completed, out_);
    end();
  }
  void item(std::string_view type, bool completed) {
    begin(type);
    out_ += R"(,"output_index":0,"item":)";
    put_message(c_, completed, out_);
    end();
  }
  void part(std::string_view type, std::string_view text) {
    begin(type);
    put(out_,
        R"(,"item_id":"{}","output_index":0,"content_index":0,"part":{{"type":"output_text",)"
        R"("annotations":[],"text":{}}})",
        item_, json_string(text));
    end();
  }
  void text(std::string_view type, std::string_view member, std::string_view text) {
    begin(type);
    put(out_, R"(,"item_id":"{}","output_index":0,"content_index":0,"logprobs":[],"{}":{})", item_,
        member, json_string(text));
    end();
  }

 private:
  void begin(std::string_view type) {
    put(out_, "event: {0}\ndata: {{\"type\":\"{0}\",\"sequence_number\":{1}", type, number_++);
  }
  void end() { out_ += "}\n\n"; }

  const AnswerContext& c_;
  std::string& out_;
  std::string item_;
  int number_ = 0;
};

void put_response_stream(const AnswerContext& c, std::string& out) {
  ResponseEvents events(c, out);
  const auto text = answer_text(c);
  events.response("response.created", false);
  events.response("response.in_progress", false);
  events.item("response.output_item.added", false);
  events.part("response.content_part.added", "");
  for (std::string_view rest = text; !rest.empty();) {
    events.text("response.output_text.delta", "delta", take_piece(rest));
  }
  events.text("response.output_text.done", "text", text);
  events.part("response.content_part.done", text);
  events.item("response.output_item.done", true);
  events.response("response.completed", true);
}

}  // namespace

bool can_stream(Endpoint endpoint) {
  return endpoint == Endpoint::chat || endpoint == Endpoint::completions ||
         endpoint == Endpoint::responses;
}

void render_event_stream(const AnswerContext& context, std::string& out) {
  if (context.endpoint == Endpoint::responses) return put_response_stream(context, out);
  put_completion_stream(context, out);
}

}  // namespace offpeak::sim
