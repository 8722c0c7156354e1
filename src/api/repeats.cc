#include "api/repeats.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "api/error_response.h"
#include "base/hash.h"
#include "platform/crypto/api_key.h"
#include "platform/observe/log.h"

namespace offpeak {
namespace {

constexpr std::size_t kKeyBytesMax = 255;

bool is_retry(const http::Request& request) {
  const std::string_view count = request.header("x-stainless-retry-count");
  int value = 0;
  std::from_chars(count.data(), count.data() + count.size(), value);
  return value >= 1;
}

bool is_printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= 0x21 && c <= 0x7e; });
}

/// A try of the same request may end differently while the cause passes.
bool is_passing(int status) {
  return status >= 500 || status == 401 || status == 408 || status == 409 || status == 429;
}

http::Response still_under_way(std::string message, std::string code) {
  auto response = error_response({ErrorKind::conflict, std::move(message), std::move(code)});
  std::erase_if(response.headers,
                [](const auto& header) { return header.name == "x-should-retry"; });
  response.headers.push_back({"retry-after", "1"});
  return response;
}

http::Response from_stored(const StoredReply& reply, std::string body) {
  http::Response response{.status = reply.status};
  response.headers.push_back({"content-type", reply.content_type});
  response.headers.push_back({"idempotent-replayed", "true"});
  response.body = std::move(body);
  return response;
}

}  // namespace

void Repeats::hold(Call& call, std::string name) {
  under_way_.insert(name);
  call.held.push_back(std::move(name));
}

void Repeats::ended(const Call& call) {
  for (const auto& name : call.held) under_way_.erase(under_way_.find(name));
}

std::optional<http::Response> Repeats::claim(Call& call) {
  const std::string_view key = call.request.header("idempotency-key");
  if (key.empty()) return std::nullopt;
  if (key.size() > kKeyBytesMax || !is_printable(key)) {
    return error_response(
        {ErrorKind::invalid_request,
         fmt::format("Invalid 'Idempotency-Key': expected at most {} printable ASCII characters.",
                     kKeyBytesMax),
         "invalid_idempotency_key", "Idempotency-Key"});
  }
  call.mark.idempotency_key = sha256_hex(key);
  std::string name = fmt::format("{} {}", call.project, call.mark.idempotency_key);
  if (under_way_.contains(name)) {
    return still_under_way("A request with this Idempotency-Key is still being worked on.",
                           "idempotency_key_in_use");
  }
  hold(call, std::move(name));
  return std::nullopt;
}

std::optional<http::Response> Repeats::answered(Call& call, std::string_view content) {
  const std::string facts =
      fmt::format("{}\n{} {}\n{}", call.key, call.request.method, call.request.path(), content);
  call.mark.fingerprint = hash128_hex(facts);
  if (!call.mark.idempotency_key.empty()) return answered_by_key(call);
  if (!call.route.again) return std::nullopt;
  if (is_retry(call.request)) {
    if (under_way_.contains(call.mark.fingerprint)) {
      return still_under_way("The first try of this request is still being worked on.",
                             "request_under_way");
    }
    if (auto earlier = made_before(call)) return earlier;
  }
  hold(call, call.mark.fingerprint);
  return std::nullopt;
}

/// The object that the first try made, as it is now.
std::optional<http::Response> Repeats::made_before(Call& call) {
  const auto made =
      store_.made_by(call.project, call.mark.fingerprint, clock_.unix_now() - kUnkeyedRequestLife);
  if (!made) return error_response(made.error());
  if (!*made) return std::nullopt;
  auto again = call.route.again(call, **made);
  if (!again) return std::nullopt;
  log::info("api", "{} repeats a request that made {}: answered with it", call.request.id, **made);
  return std::move(*again);
}

std::optional<http::Response> Repeats::answered_by_key(Call& call) {
  const auto known = store_.keyed_request(call.project, call.mark.idempotency_key,
                                          clock_.unix_now() - kKeyedRequestLife);
  if (!known) return error_response(known.error());
  if (!*known) return std::nullopt;
  const KeyedRequest& first = **known;
  if (first.fingerprint != call.mark.fingerprint) {
    return error_response({ErrorKind::invalid_request,
                           "This Idempotency-Key was first used with another request. Use a new "
                           "key for every new request.",
                           "idempotency_key_reused", "Idempotency-Key"});
  }
  if (first.reply) {
    auto body = box_.open(first.reply->body, call.mark.idempotency_key);
    if (body) return from_stored(*first.reply, std::move(*body));
  }
  if (first.object.empty() || !call.route.again) return std::nullopt;
  auto again = call.route.again(call, first.object);
  if (!again) return std::nullopt;
  again->headers.push_back({"idempotent-replayed", "true"});
  return std::move(*again);
}

Task<> Repeats::keep(const Call& call, const http::Response& response) {
  const auto* const body = std::get_if<std::string>(&response.body);
  if (call.mark.idempotency_key.empty() || call.mark.empty() || is_passing(response.status) ||
      body == nullptr || body->size() > kKeptReplyBytesMax) {
    co_return;
  }
  StoredReply reply{.status = response.status,
                    .content_type = {},
                    .body = box_.seal(*body, call.mark.idempotency_key)};
  for (const auto& header : response.headers) {
    if (http::iequals(header.name, "content-type")) reply.content_type = header.value;
    if (header.name == "idempotent-replayed") co_return;
  }
  auto keep = [this, &call, &reply] {
    return store_.keep_reply(call.project, call.mark, reply, clock_.unix_now());
  };
  if (const auto kept = co_await offload(workers_, keep); !kept) {
    log::error("api", "{}: the reply cannot be kept: {}", call.request.id, kept.error().message);
  }
}

}  // namespace offpeak
