// Recognising requests that are sent again (contract section 6.4): a part of MetaStore, with its
// rules. Marks are written with the object they belong to, by the insert_* functions; a mark with
// the Idempotency-Key of an earlier request takes its place.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "base/id.h"
#include "core/records/request_mark.h"

namespace offpeak {

class RequestStore {
 public:
  virtual ~RequestStore() = default;

  /// The id of the object that the newest request with this fingerprint made, if that was not
  /// before `since`.
  virtual Result<std::optional<std::string>> made_by(const ProjectId& project,
                                                     std::string_view fingerprint,
                                                     UnixSeconds since) = 0;
  /// The request that came with this Idempotency-Key, if that was not before `since`.
  virtual Result<std::optional<KeyedRequest>> keyed_request(const ProjectId& project,
                                                            std::string_view idempotency_key,
                                                            UnixSeconds since) = 0;
  /// Keeps the reply to a request with an Idempotency-Key; a later one for the same key replaces
  /// it.
  virtual Status keep_reply(const ProjectId& project, const RequestMark& mark,
                            const StoredReply& reply, UnixSeconds now) = 0;
  /// Forgets requests with a key from before `keyed`, those without from before `unkeyed`.
  virtual Status forget_requests(UnixSeconds keyed, UnixSeconds unkeyed) = 0;
};

}  // namespace offpeak
