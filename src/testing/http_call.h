// A blocking HTTP client for tests: one connection per call, nothing hidden.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "platform/http/message.h"

namespace offpeak {

struct TestReply {
  int status = 0;  // 0: no answer came back
  std::vector<http::Header> headers = {};
  std::string body = {};

  /// The first header of that name; empty if there is none.
  std::string header(std::string_view name) const;
  /// Throws if the body is not a JSON object.
  boost::json::object json() const;
};

/// Sends `bytes` as they are and reads until the server closes.
TestReply exchange_raw(std::uint16_t port, std::string_view bytes);

/// Calls as one user; with an empty key no Authorization header is sent.
struct TestClient {
  std::uint16_t port = 0;
  std::string key = {};

  TestReply call(std::string_view method, std::string_view target, std::string_view body = "",
                 const std::vector<http::Header>& headers = {}) const;
  TestReply get(std::string_view target, const std::vector<http::Header>& headers = {}) const {
    return call("GET", target, "", headers);
  }
  TestReply post(std::string_view target, const boost::json::object& body) const;
  /// POST /v1/files
  TestReply upload(std::string_view content, std::string_view purpose = "batch",
                   std::string_view filename = "input.jsonl") const;
};

}  // namespace offpeak
