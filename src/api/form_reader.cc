#include "api/form_reader.h"

#include <fmt/format.h>

#include <utility>

namespace offpeak {

bool announces_more_than(const http::Request& request, std::uint64_t bytes_max) {
  return request.content_length && *request.content_length > kFormOverheadMax &&
         *request.content_length - kFormOverheadMax > bytes_max;
}

Task<Status> read_form(const http::Request& request, http::RequestBody& body,
                       std::string_view parts,
                       const std::function<Task<Status>(http::MultipartEvent)>& take) {
  const auto boundary = http::parse_boundary(request.header("content-type"));
  if (!boundary) {
    co_return fail(ErrorKind::invalid_request,
                   fmt::format("The request must be a multipart/form-data form with {}.", parts),
                   "invalid_content_type");
  }
  http::MultipartParser parser(*boundary);
  while (true) {
    const auto piece = co_await body.read();
    if (!piece) co_return std::unexpected(piece.error());
    if (piece->empty()) break;
    parser.feed(*piece);
    while (true) {
      auto event = parser.next();
      if (!event) co_return std::unexpected(event.error());
      if (!*event) break;
      auto taken = co_await take(std::move(**event));
      if (!taken) co_return taken;
    }
  }
  co_return parser.finish();
}

}  // namespace offpeak
