// Who is calling? Keys are looked up by hash; the answer to a bad one never says how it is bad.
#pragma once

#include <optional>
#include <string>

#include "base/error.h"
#include "base/id.h"
#include "platform/http/message.h"
#include "platform/meta/meta_store.h"

namespace offpeak {

/// The key of an Authorization header: "Bearer KEY", or Basic with KEY as the password.
std::optional<std::string> presented_key(const http::Request& request);

/// The caller's key; unauthenticated with the service's texts (contract section 6.2).
Result<ApiKey> authenticate(MetaStore& meta, const http::Request& request);

/// Whether the caller presents the operator's key, given as its SHA-256.
Status authenticate_operator(std::string_view operator_key_sha256, const http::Request& request);

}  // namespace offpeak
