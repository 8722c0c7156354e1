#include "app/cli/http_session.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <cerrno>
#include <cstring>
#include <utility>

#include "app/cli/interrupt.h"
#include "platform/config/base_url.h"

namespace offpeak::cli {
namespace {

constexpr long kConnectTimeoutMs = 10'000;
// A transfer that moves less than this for that long is given up.
constexpr long kStallBytesPerSecond = 1;
constexpr long kStallSeconds = 120;
constexpr long kBufferBytes = 512 * 1024;

using CurlHandle = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;
using HeaderList = std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)>;

void init_curl_once() {
  static const CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
  (void)code;
}

struct Sink {
  CURL* handle;
  std::string body;
  std::FILE* file = nullptr;
  bool write_failed = false;
};

std::size_t on_body(char* data, std::size_t size, std::size_t count, void* user) {
  auto& sink = *static_cast<Sink*>(user);
  const std::size_t bytes = size * count;
  long status = 0;
  curl_easy_getinfo(sink.handle, CURLINFO_RESPONSE_CODE, &status);
  if (sink.file == nullptr || status < 200 || status > 299) {
    sink.body.append(data, bytes);
    return bytes;
  }
  const auto written = std::fwrite(data, 1, bytes, sink.file);
  sink.write_failed = written != bytes;
  return written;
}

int on_progress(void* user, curl_off_t, curl_off_t, curl_off_t upload_total,
                curl_off_t upload_now) {
  const auto* progress = static_cast<const TransferProgress*>(user);
  if (progress != nullptr && *progress && upload_total > 0) {
    (*progress)(static_cast<std::uint64_t>(upload_now), static_cast<std::uint64_t>(upload_total));
  }
  return interrupted() ? 1 : 0;
}

bool is_unreachable(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_PARTIAL_FILE:
    case CURLE_SSL_CONNECT_ERROR:
      return true;
    default:
      return false;
  }
}

std::string api_message(long status, const std::string& body) {
  boost::json::error_code error;
  const auto value = boost::json::parse(body, error);
  if (!error && value.is_object()) {
    if (const auto* inner = value.as_object().if_contains("error");
        inner != nullptr && inner->is_object()) {
      const auto* message = inner->as_object().if_contains("message");
      if (message != nullptr && message->is_string()) return std::string(message->as_string());
    }
  }
  return fmt::format("the server answered {} without saying why", status);
}

std::string todo_of(long status) {
  switch (status) {
    case 401:
    case 403:
      return "set OFFPEAK_API_KEY to a key of this server, or --data-dir to the local server's "
             "data "
             "directory";
    case 429:
    case 503:
      return "try again later";
    default:
      return {};
  }
}

struct Request {
  const char* method;
  std::string url;
  HeaderList headers{nullptr, curl_slist_free_all};

  std::string place() const { return fmt::format("{} {}", method, url); }

  void add_header(const std::string& line) {
    curl_slist* const list = curl_slist_append(headers.get(), line.c_str());
    static_cast<void>(headers.release());  // the list it belongs to now begins at `list`
    headers.reset(list);
  }
};

}  // namespace

struct HttpSession::Impl {
  void configure(const Endpoint& endpoint, Request& request, Sink& sink);
  void configure_body(Request& request);
  void configure_transfer(Sink& sink);
  CliError transfer_error(CURLcode code, const Request& request, const Sink& sink) const;

  CurlHandle handle{curl_easy_init(), curl_easy_cleanup};
  std::string error_text = std::string(CURL_ERROR_SIZE, '\0');
  curl_mime* mime = nullptr;
  const std::string* json = nullptr;
  const TransferProgress* progress = nullptr;
};

void HttpSession::Impl::configure(const Endpoint& endpoint, Request& request, Sink& sink) {
  CURL* const curl = handle.get();
  curl_easy_reset(curl);
  if (!endpoint.api_key.empty()) request.add_header("Authorization: Bearer " + endpoint.api_key);
  curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method);
  configure_body(request);
  configure_transfer(sink);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, request.headers.get());
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "offpeak/" OFFPEAK_VERSION);
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  if (const auto parsed = parse_base_url(endpoint.base_url); parsed && parsed->is_loopback()) {
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
  }
}

void HttpSession::Impl::configure_body(Request& request) {
  CURL* const curl = handle.get();
  request.add_header("Expect:");
  if (json != nullptr) {
    request.add_header("Content-Type: application/json");
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(json->size()));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, json->data());
  }
  if (mime != nullptr) curl_easy_setopt(curl, CURLOPT_MIMEPOST, mime);
}

void HttpSession::Impl::configure_transfer(Sink& sink) {
  CURL* const curl = handle.get();
  error_text[0] = '\0';
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error_text.data());
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, kConnectTimeoutMs);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, kStallBytesPerSecond);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, kStallSeconds);
  curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, kBufferBytes);
  curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, kBufferBytes);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &sink);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, progress);
}

CliError HttpSession::Impl::transfer_error(CURLcode code, const Request& request,
                                           const Sink& sink) const {
  if (code == CURLE_ABORTED_BY_CALLBACK) {
    return {.exit = ExitCode::interrupted, .what = "interrupted"};
  }
  if (sink.write_failed) {
    return {.what = fmt::format("cannot write the output: {}", std::strerror(errno)),
            .where = request.place()};
  }
  return {.exit = is_unreachable(code) ? ExitCode::unreachable : ExitCode::error,
          .what = error_text[0] != '\0' ? error_text.c_str() : curl_easy_strerror(code),
          .where = request.place(),
          .todo = "start the server with 'offpeak serve', or set OFFPEAK_BASE_URL"};
}

HttpSession::HttpSession(Endpoint endpoint) : endpoint_(std::move(endpoint)) {
  init_curl_once();
  impl_ = std::make_unique<Impl>();
}

HttpSession::~HttpSession() = default;

CliResult<std::string> HttpSession::get(const std::string& path) {
  return perform("GET", path, nullptr);
}

CliResult<std::string> HttpSession::del(const std::string& path) {
  return perform("DELETE", path, nullptr);
}

CliResult<std::string> HttpSession::post(const std::string& path, const std::string& json) {
  impl_->json = &json;
  auto result = perform("POST", path, nullptr);
  impl_->json = nullptr;
  return result;
}

CliResult<std::string> HttpSession::upload(const std::filesystem::path& file,
                                           const std::string& purpose,
                                           const TransferProgress& progress) {
  const std::unique_ptr<curl_mime, decltype(&curl_mime_free)> mime(
      curl_mime_init(impl_->handle.get()), curl_mime_free);
  curl_mimepart* part = curl_mime_addpart(mime.get());
  curl_mime_name(part, "purpose");
  curl_mime_data(part, purpose.data(), purpose.size());
  part = curl_mime_addpart(mime.get());
  curl_mime_name(part, "file");
  if (curl_mime_filedata(part, file.c_str()) != CURLE_OK) {
    return std::unexpected(
        CliError{.what = fmt::format("cannot read {}: {}", file.string(), std::strerror(errno))});
  }
  curl_mime_type(part, "application/jsonl");
  impl_->mime = mime.get();
  impl_->progress = &progress;
  auto result = perform("POST", "/files", nullptr);
  impl_->mime = nullptr;
  impl_->progress = nullptr;
  return result;
}

CliResult<void> HttpSession::download(const std::string& path, std::FILE* out) {
  auto result = perform("GET", path, out);
  if (!result) return std::unexpected(std::move(result.error()));
  return {};
}

CliResult<std::string> HttpSession::perform(const char* method, const std::string& path,
                                            std::FILE* out) {
  CURL* const curl = impl_->handle.get();
  Sink sink{.handle = curl, .body = {}, .file = out};
  Request request{.method = method, .url = endpoint_.base_url + path};
  impl_->configure(endpoint_, request, sink);
  const CURLcode code = curl_easy_perform(curl);
  if (code != CURLE_OK) return std::unexpected(impl_->transfer_error(code, request, sink));
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  if (status < 200 || status > 299) {
    return std::unexpected(CliError{.exit = exit_of_status(status),
                                    .what = api_message(status, sink.body),
                                    .where = request.place(),
                                    .todo = todo_of(status)});
  }
  return std::move(sink.body);
}

bool HttpSession::reachable(const std::string& url, std::chrono::milliseconds timeout) {
  init_curl_once();
  const CurlHandle handle(curl_easy_init(), curl_easy_cleanup);
  curl_easy_setopt(handle.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(handle.get(), CURLOPT_CONNECT_ONLY, 1L);
  curl_easy_setopt(handle.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle.get(), CURLOPT_PROXY, "");
  curl_easy_setopt(handle.get(), CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(timeout.count()));
  return curl_easy_perform(handle.get()) == CURLE_OK;
}

}  // namespace offpeak::cli
