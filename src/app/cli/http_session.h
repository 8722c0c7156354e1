// Blocking HTTP to one offpeak server, over one kept connection. Errors are ready to print.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "app/cli/exit_code.h"

namespace offpeak::cli {

struct Endpoint {
  std::string base_url;  // with /v1
  std::string api_key;   // may be empty
};

using TransferProgress = std::function<void(std::uint64_t done, std::uint64_t total)>;

class HttpSession {
 public:
  explicit HttpSession(Endpoint endpoint);
  ~HttpSession();
  HttpSession(const HttpSession&) = delete;
  HttpSession& operator=(const HttpSession&) = delete;

  const Endpoint& endpoint() const { return endpoint_; }

  // `path` is relative to the base URL and begins with "/". The result is the body of a 2xx answer;
  // any other answer is an error with the API's message.
  CliResult<std::string> get(const std::string& path);
  CliResult<std::string> post(const std::string& path, const std::string& json);
  CliResult<std::string> del(const std::string& path);

  /// POST /files, streamed from the disk.
  CliResult<std::string> upload(const std::filesystem::path& file, const std::string& purpose,
                                const TransferProgress& progress);

  /// Appends the body of a 2xx answer to `out`.
  CliResult<void> download(const std::string& path, std::FILE* out);

  /// Whether somebody accepts connections at `url`.
  static bool reachable(const std::string& url, std::chrono::milliseconds timeout);

 private:
  struct Impl;
  CliResult<std::string> perform(const char* method, const std::string& path, std::FILE* out);

  Endpoint endpoint_;
  std::unique_ptr<Impl> impl_;
};

}  // namespace offpeak::cli
