#include "testing/http_call.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>

namespace offpeak {
namespace {

/// A test that hangs is worse than one that fails.
constexpr timeval kReadTimeout{.tv_sec = 30, .tv_usec = 0};

class Connection {
 public:
  explicit Connection(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &kReadTimeout, sizeof kReadTimeout);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  ~Connection() { ::close(socket_); }
  Connection(const Connection&) = delete;

  void send(std::string_view bytes) {
    while (connected_ && !bytes.empty()) {
      const auto count = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
  }

  std::string receive_all() {
    std::string text;
    std::array<char, 16384> piece;
    while (connected_) {
      const auto count = ::recv(socket_, piece.data(), piece.size(), 0);
      if (count <= 0) break;
      text.append(piece.data(), static_cast<std::size_t>(count));
    }
    return text;
  }

 private:
  int socket_;
  bool connected_ = false;
};

TestReply parse_reply(std::string_view text) {
  TestReply reply;
  constexpr std::size_t kStatusAt = 9;  // "HTTP/1.1 "
  const auto head_end = text.find("\r\n\r\n");
  if (head_end == std::string_view::npos || head_end < kStatusAt + 3) return reply;
  std::from_chars(text.data() + kStatusAt, text.data() + kStatusAt + 3, reply.status);
  reply.body = text.substr(head_end + 4);
  std::string_view head = text.substr(0, head_end);
  while (true) {
    const auto line_end = head.find("\r\n");
    if (line_end == std::string_view::npos) return reply;
    head.remove_prefix(line_end + 2);
    const auto line = head.substr(0, head.find("\r\n"));
    const auto colon = line.find(": ");
    if (colon == std::string_view::npos) continue;
    reply.headers.push_back(
        {std::string(line.substr(0, colon)), std::string(line.substr(colon + 2))});
  }
}

}  // namespace

std::string TestReply::header(std::string_view name) const {
  for (const auto& header : headers) {
    if (http::iequals(header.name, name)) return header.value;
  }
  return "";
}

boost::json::object TestReply::json() const {
  return boost::json::parse(body).as_object();
}

TestReply exchange_raw(std::uint16_t port, std::string_view bytes) {
  Connection connection(port);
  connection.send(bytes);
  return parse_reply(connection.receive_all());
}

TestReply TestClient::call(std::string_view method, std::string_view target, std::string_view body,
                           const std::vector<http::Header>& headers) const {
  std::string request =
      fmt::format("{} {} HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Length: {}\r\n",
                  method, target, body.size());
  if (!key.empty()) request += fmt::format("Authorization: Bearer {}\r\n", key);
  for (const auto& header : headers) request += header.name + ": " + header.value + "\r\n";
  request += "\r\n";
  request += body;
  return exchange_raw(port, request);
}

TestReply TestClient::post(std::string_view target, const boost::json::object& body) const {
  return call("POST", target, boost::json::serialize(body), {{"Content-Type", "application/json"}});
}

TestReply TestClient::upload(std::string_view content, std::string_view purpose,
                             std::string_view filename) const {
  const std::string form = fmt::format(
      "--edge\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\n{}\r\n"
      "--edge\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{}\"\r\n"
      "Content-Type: application/octet-stream\r\n\r\n{}\r\n--edge--\r\n",
      purpose, filename, content);
  return call("POST", "/v1/files", form, {{"Content-Type", "multipart/form-data; boundary=edge"}});
}

}  // namespace offpeak
