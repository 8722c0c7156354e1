// Query parameters of list calls, checked as the service checks them.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "platform/meta/meta_store.h"

namespace offpeak {

struct ListRules {
  std::uint32_t limit_default = 20;
  std::uint32_t limit_max = 100;
  bool ordered = false;   // takes `order`
  bool purposes = false;  // takes `purpose`
};

/// `after`, `limit`, and what the rules allow besides; other parameters are ignored.
Result<ListQuery> parse_list_query(std::string_view query, const ListRules& rules);

}  // namespace offpeak
