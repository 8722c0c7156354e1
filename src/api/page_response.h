// The answer of every listing route.
#pragma once

#include <utility>
#include <vector>

#include "api/error_response.h"
#include "base/error.h"
#include "core/openai/wire.h"
#include "platform/meta/listing.h"

namespace offpeak {

/// `to_object` makes the API's object of one record.
template <class Record, class ToObject>
http::Response page_response(const Result<Page<Record>>& page, ToObject to_object) {
  if (!page) return error_response(page.error());
  std::vector<boost::json::object> data;
  for (const Record& record : page->data) data.push_back(to_object(record));
  return json_response(list_object(std::move(data), page->has_more));
}

}  // namespace offpeak
