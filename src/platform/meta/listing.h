// Pages of listings, as every store gives them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace offpeak {

enum class SortOrder { newest_first, oldest_first };

/// One page of a listing, by order of insertion. `after` is the id of the last element of the page
/// before; an id never seen gives an empty page, a deleted one keeps its place.
struct ListQuery {
  std::string after = {};
  std::uint32_t limit = 20;
  SortOrder order = SortOrder::newest_first;
  std::string purpose = {};  // files only; empty: any
};

template <class Record>
struct Page {
  std::vector<Record> data;
  bool has_more = false;
};

}  // namespace offpeak
