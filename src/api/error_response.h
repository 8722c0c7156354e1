// The only place where an Error becomes a status code and OpenAI's error object (contract section
// 6).
#pragma once

#include <boost/json/object.hpp>

#include "base/error.h"
#include "platform/http/message.h"

namespace offpeak {

int http_status(ErrorKind kind);

/// The envelope, with the headers that SDKs act on for this kind (retry-after, x-should-retry).
http::Response error_response(const Error& error);

http::Response json_response(const boost::json::object& object, int status = 200);

}  // namespace offpeak
