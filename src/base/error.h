// The one error type of the whole tree, and Result<T> = value or Error.
//
// An Error says what went wrong in words a user can act on (what, where, what to do). It knows no
// protocol: api/error_response.h alone turns it into a status code and OpenAI's error object.
#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace offpeak {

enum class ErrorKind {
  invalid_request,     // the caller must change the request
  unauthenticated,     // no key, or a key we do not know
  forbidden,           // a valid key that may not do this
  not_found,           // unknown here, or not visible to this project
  method_not_allowed,  // the path exists, the method does not
  conflict,            // the object's state forbids it
  too_large,           // over a stated limit
  rate_limited,        // too many requests; try later
  storage_full,        // no room on the disk; try later
  unavailable,         // a dependency is down or we are draining; try later
  timeout,             // the peer took longer than allowed
  internal,            // a bug or a broken dependency
};

std::string_view to_string(ErrorKind kind);

struct [[nodiscard]] Error {
  ErrorKind kind = ErrorKind::internal;
  std::string message;
  std::string code = {};   // OpenAI's machine-readable code, empty for null
  std::string param = {};  // the offending parameter, empty for null
};

template <class T>
using Result = std::expected<T, Error>;
using Status = Result<void>;

/// Shorthand for `return fail(ErrorKind::not_found, "…")` in a function that returns Result<T>.
std::unexpected<Error> fail(ErrorKind kind, std::string message, std::string code = {},
                            std::string param = {});

/// An Error of the kind that `errno_value` means (ENOSPC and EDQUOT: storage_full, ENOENT:
/// not_found, else internal), with the text `what: <strerror>`.
Error errno_error(std::string_view what, int errno_value);

}  // namespace offpeak
