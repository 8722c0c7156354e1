#include "platform/webclient/curl_sender.h"

#include <curl/curl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <span>

#include "core/webhook/target_url.h"

namespace offpeak {
namespace {

using CurlHandle = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;
using CurlList = std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)>;

void init_curl_once() {
  static const CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
  static_cast<void>(code);
}

void append(CurlList& list, const std::string& line) {
  curl_slist* const longer = curl_slist_append(list.get(), line.c_str());
  static_cast<void>(list.release());  // the list it belongs to now begins at `longer`
  list.reset(longer);
}

/// One transfer, as its callbacks see it.
struct Transfer {
  std::span<const IpAddress> allowed;
  const std::atomic<bool>& stopped;
  std::size_t answer_bytes_left;
  std::chrono::milliseconds connect_timeout;
  std::chrono::milliseconds timeout;
  bool refused_address = false;
};

bool same_address(const IpAddress& address, const curl_sockaddr& socket) {
  if (socket.family == AF_INET && !address.v6) {
    sockaddr_in v4;
    std::memcpy(&v4, &socket.addr, sizeof v4);
    return std::memcmp(address.bytes.data(), &v4.sin_addr, sizeof v4.sin_addr) == 0;
  }
  if (socket.family != AF_INET6 || !address.v6 || socket.addrlen < sizeof(sockaddr_in6)) {
    return false;
  }
  // curl_sockaddr ends in a sockaddr that is shorter than what lies there.
  const auto* const bytes = reinterpret_cast<const std::byte*>(&socket.addr);
  return std::memcmp(address.bytes.data(), bytes + offsetof(sockaddr_in6, sin6_addr),
                     address.bytes.size()) == 0;
}

/// The last word on where a connection goes, whatever curl made of the URL.
curl_socket_t on_open_socket(void* user, curlsocktype, curl_sockaddr* socket) {
  auto& transfer = *static_cast<Transfer*>(user);
  const auto allowed = std::ranges::any_of(
      transfer.allowed, [&](const IpAddress& address) { return same_address(address, *socket); });
  if (!allowed) {
    transfer.refused_address = true;
    return CURL_SOCKET_BAD;
  }
  return ::socket(socket->family, socket->socktype | SOCK_CLOEXEC, socket->protocol);
}

std::size_t on_body(char*, std::size_t size, std::size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  const std::size_t bytes = size * count;
  if (bytes > transfer.answer_bytes_left) return 0;
  transfer.answer_bytes_left -= bytes;
  return bytes;
}

int on_progress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<const Transfer*>(user)->stopped ? 1 : 0;
}

/// "host:port:address[,address]", so that curl resolves nothing itself.
std::string pin(const TargetUrl& url, std::span<const IpAddress> addresses) {
  std::string line = fmt::format("{}:{}:", url.host, url.port);
  for (const IpAddress& address : addresses) {
    if (!line.ends_with(':')) line += ',';
    line += address.v6 ? fmt::format("[{}]", to_string(address)) : to_string(address);
  }
  return line;
}

void limit_to_target(CURL* curl, const TargetUrl& url, Transfer& transfer) {
  curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
  curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, url.tls ? "https" : "http");
  curl_easy_setopt(curl, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_PROXY, "");
  curl_easy_setopt(curl, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
}

void limit_transfer(CURL* curl, Transfer& transfer) {
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(transfer.connect_timeout.count()));
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(transfer.timeout.count()));
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &transfer);
}

std::string words_for(CURLcode code) {
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return "The receiver did not answer in time.";
    case CURLE_COULDNT_CONNECT:
      return "No connection to the receiver came about.";
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
      return "No TLS connection came about: the receiver's certificate or protocol was refused.";
    default:
      return "The connection to the receiver broke off.";
  }
}

constexpr std::string_view kUnresolved = "The URL's host name could not be resolved.";
constexpr std::string_view kNotAllowed =
    "The URL's host has an address that is not public, which this server does not call.";

bool all_allowed(std::span<const IpAddress> addresses, bool allow_private) {
  return std::ranges::all_of(
      addresses, [&](const IpAddress& address) { return may_connect(address, allow_private); });
}

WebhookReply reply_of(CURL* curl, CURLcode code, const Transfer& transfer) {
  if (transfer.stopped && code == CURLE_ABORTED_BY_CALLBACK) return {.interrupted = true};
  if (transfer.refused_address) return {.error = std::string(kNotAllowed)};
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  // A body that is longer than we read is none of our concern: the answer is the status.
  if (code == CURLE_OK || (code == CURLE_WRITE_ERROR && status >= 200)) {
    return {.status = static_cast<int>(status)};
  }
  return {.error = words_for(code)};
}

WebhookReply perform(const WebhookRequest& request, const TargetUrl& url, Transfer& transfer) {
  const CurlHandle handle(curl_easy_init(), curl_easy_cleanup);
  CURL* const curl = handle.get();
  CurlList pins(nullptr, curl_slist_free_all);
  if (!url.literal) append(pins, pin(url, transfer.allowed));
  CurlList headers(nullptr, curl_slist_free_all);
  append(headers, "Expect:");
  for (const auto& [name, value] : request.headers) append(headers, name + ": " + value);
  curl_easy_setopt(curl, CURLOPT_URL, url.text().c_str());
  curl_easy_setopt(curl, CURLOPT_RESOLVE, pins.get());
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body.data());
  limit_to_target(curl, url, transfer);
  limit_transfer(curl, transfer);
  const CURLcode code = curl_easy_perform(curl);
  return reply_of(curl, code, transfer);
}

}  // namespace

CurlSender::CurlSender(const Clock& clock, CurlSenderOptions options, Lookup lookup)
    : clock_(clock), options_(options), resolver_(std::move(lookup)) {
  init_curl_once();
}

Status CurlSender::check(const std::string& text) {
  const auto url = parse_target_url(text, options_.allow_private);
  if (!url) return std::unexpected(url.error());
  if (url->literal) return {};
  if (!all_allowed(resolver_.resolve(url->host, options_.lookup_timeout), options_.allow_private)) {
    return fail(ErrorKind::invalid_request,
                fmt::format("Invalid 'url': {} (The operator can allow private addresses with the "
                            "setting webhooks.allow_private_targets.)",
                            kNotAllowed),
                "invalid_value", "url");
  }
  return {};
}

WebhookReply CurlSender::send(const WebhookRequest& request) {
  const auto url = parse_target_url(request.url, options_.allow_private);
  if (!url) return {.error = url.error().message};
  const SteadyTime start = clock_.steady_now();
  const auto addresses = url->literal ? std::vector{*url->literal}
                                      : resolver_.resolve(url->host, options_.lookup_timeout);
  if (stopped_) return {.interrupted = true};
  if (addresses.empty()) return {.error = std::string(kUnresolved)};
  if (!all_allowed(addresses, options_.allow_private)) return {.error = std::string(kNotAllowed)};
  const auto spent =
      std::chrono::duration_cast<std::chrono::milliseconds>(clock_.steady_now() - start);
  Transfer transfer{
      .allowed = addresses,
      .stopped = stopped_,
      .answer_bytes_left = options_.answer_bytes_max,
      .connect_timeout = options_.connect_timeout,
      .timeout = std::max(options_.total_timeout - spent, std::chrono::milliseconds(1))};
  return perform(request, *url, transfer);
}

void CurlSender::stop() {
  stopped_ = true;
  resolver_.stop();
}

}  // namespace offpeak
