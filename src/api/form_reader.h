// multipart/form-data bodies: the loop that every form of the API shares.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "base/error.h"
#include "platform/async/event_loop.h"
#include "platform/http/message.h"
#include "platform/http/multipart.h"

namespace offpeak {

/// What a form may hold beside its file.
inline constexpr std::uint64_t kFormOverheadMax = 1024 * 1024;

/// Whether the request says that more is coming than a form with a file of `bytes_max` can be.
bool announces_more_than(const http::Request& request, std::uint64_t bytes_max);

/// Hands the form's events to `take` in their order, and makes sure that the form came whole. On an
/// error the rest of the body is left unread. `parts` names what belongs in it: "the part 'data'".
Task<Status> read_form(const http::Request& request, http::RequestBody& body,
                       std::string_view parts,
                       const std::function<Task<Status>(http::MultipartEvent)>& take);

}  // namespace offpeak
