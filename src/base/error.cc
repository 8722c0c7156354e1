#include "base/error.h"

#include <fmt/format.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace offpeak {

std::string_view to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::invalid_request:
      return "invalid_request";
    case ErrorKind::unauthenticated:
      return "unauthenticated";
    case ErrorKind::forbidden:
      return "forbidden";
    case ErrorKind::not_found:
      return "not_found";
    case ErrorKind::method_not_allowed:
      return "method_not_allowed";
    case ErrorKind::conflict:
      return "conflict";
    case ErrorKind::too_large:
      return "too_large";
    case ErrorKind::rate_limited:
      return "rate_limited";
    case ErrorKind::storage_full:
      return "storage_full";
    case ErrorKind::unavailable:
      return "unavailable";
    case ErrorKind::timeout:
      return "timeout";
    case ErrorKind::internal:
      return "internal";
  }
  std::unreachable();
}

std::unexpected<Error> fail(ErrorKind kind, std::string message, std::string code,
                            std::string param) {
  return std::unexpected(Error{kind, std::move(message), std::move(code), std::move(param)});
}

Error errno_error(std::string_view what, int errno_value) {
  auto kind = ErrorKind::internal;
  if (errno_value == ENOSPC || errno_value == EDQUOT) kind = ErrorKind::storage_full;
  if (errno_value == ENOENT) kind = ErrorKind::not_found;
  return Error{kind, fmt::format("{}: {}", what, std::generic_category().message(errno_value))};
}

}  // namespace offpeak
