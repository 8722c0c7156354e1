// Searching and listing the rows of MemoryMetaStore.
#pragma once

#include <algorithm>
#include <optional>
#include <ranges>
#include <vector>

#include "platform/meta/listing.h"

namespace offpeak {

template <class Range, class Value, class Member>
bool contains(const Range& range, const Value& value, Member member) {
  return std::ranges::find(range, value, member) != std::ranges::end(range);
}

/// `shown(row)` says whether a row is in the listing; `after_place` is where the last page ended.
template <class Record, class Row, class Shown>
Page<Record> page_of(const std::vector<Row>& rows, std::optional<std::size_t> after_place,
                     const ListQuery& query, Shown shown) {
  Page<Record> page;
  const auto take = [&](const Row& row) {
    if (!shown(row)) return true;
    page.has_more = page.data.size() == query.limit;
    if (!page.has_more) page.data.push_back(row.record);
    return !page.has_more;
  };
  if (query.order == SortOrder::oldest_first) {
    for (std::size_t i = after_place ? *after_place + 1 : 0; i < rows.size(); ++i) {
      if (!take(rows[i])) break;
    }
  } else {
    for (std::size_t i = after_place.value_or(rows.size()); i > 0; --i) {
      if (!take(rows[i - 1])) break;
    }
  }
  return page;
}

}  // namespace offpeak
