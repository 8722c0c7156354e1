#include "api/error_response.h"

#include <boost/json/serialize.hpp>
#include <utility>

#include "core/openai/wire.h"

namespace offpeak {
namespace {

std::string_view type_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::rate_limited:
      return "requests";
    case ErrorKind::storage_full:
    case ErrorKind::unavailable:
    case ErrorKind::timeout:
    case ErrorKind::internal:
      return "server_error";
    default:
      return "invalid_request_error";
  }
}

}  // namespace

int http_status(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::invalid_request:
      return 400;
    case ErrorKind::unauthenticated:
      return 401;
    case ErrorKind::forbidden:
      return 403;
    case ErrorKind::not_found:
      return 404;
    case ErrorKind::method_not_allowed:
      return 405;
    case ErrorKind::conflict:
      return 409;
    case ErrorKind::too_large:
      return 413;
    case ErrorKind::rate_limited:
      return 429;
    case ErrorKind::internal:
      return 500;
    case ErrorKind::unavailable:
      return 503;
    case ErrorKind::timeout:
      return 504;
    case ErrorKind::storage_full:
      return 507;
  }
  std::unreachable();
}

http::Response error_response(const Error& error) {
  std::string_view message = error.message;
  // What went wrong inside names files and is for the operator, who finds it in the log.
  if (error.kind == ErrorKind::internal) {
    message = "The server had an error while processing your request. Its log says more.";
  } else if (error.kind == ErrorKind::storage_full) {
    message = "The server's disk is full. Nothing was stored; try again when there is room.";
  }
  auto response = json_response(error_object({.message = message,
                                              .type = type_of(error.kind),
                                              .param = error.param,
                                              .code = error.code}),
                                http_status(error.kind));
  switch (error.kind) {
    case ErrorKind::unauthenticated:
      response.headers.push_back({"www-authenticate", "Bearer realm=\"OpenAI API\""});
      break;
    case ErrorKind::conflict:
    case ErrorKind::storage_full:
      // The SDKs would send the same again at once, uploads included.
      response.headers.push_back({"x-should-retry", "false"});
      break;
    case ErrorKind::rate_limited:
    case ErrorKind::unavailable:
      response.headers.push_back({"retry-after", "2"});
      break;
    default:
      break;
  }
  return response;
}

http::Response json_response(const boost::json::object& object, int status) {
  http::Response response{.status = status};
  response.headers.push_back({"content-type", "application/json"});
  response.body = boost::json::serialize(object);
  return response;
}

}  // namespace offpeak
