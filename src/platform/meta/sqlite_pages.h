// Reading many records: whole results, and pages of a listing.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "base/error.h"
#include "platform/meta/meta_store.h"
#include "platform/meta/sqlite.h"

// A page of a table with `seq`: ?1 project, ?2 after, ?3 limit. An unknown `after` makes the
// subquery NULL, and so the page empty.
#define OFFPEAK_PAGE_AFTER(columns, table, shown, first, compare, order)                   \
  "SELECT " columns " FROM " table " WHERE project_id = ?1 AND " shown " AND seq " compare \
  " CASE WHEN ?2 = '' THEN " first " ELSE (SELECT seq FROM " table                         \
  " WHERE id = ?2 AND project_id = ?1) END"                                                \
  " ORDER BY seq " order " LIMIT ?3"
#define OFFPEAK_NEWEST_PAGE(columns, table, shown) \
  OFFPEAK_PAGE_AFTER(columns, table, shown, "9223372036854775807", "<", "DESC")
#define OFFPEAK_OLDEST_PAGE(columns, table, shown) \
  OFFPEAK_PAGE_AFTER(columns, table, shown, "0", ">", "ASC")

namespace offpeak {

template <class Record>
Result<std::vector<Record>> read_all(sqlite::Query& query, Result<Record> (*read)(sqlite::Query&)) {
  std::vector<Record> records;
  while (true) {
    const auto row = query.row();
    if (!row) return std::unexpected(row.error());
    if (!*row) return records;
    auto record = read(query);
    if (!record) return std::unexpected(record.error());
    records.push_back(std::move(*record));
  }
}

/// `query` yields up to limit + 1 records: the one too many says that there is more.
template <class Record>
Result<Page<Record>> read_page(sqlite::Query& query, std::uint32_t limit,
                               Result<Record> (*read)(sqlite::Query&)) {
  auto records = read_all<Record>(query, read);
  if (!records) return std::unexpected(records.error());
  Page<Record> page{.data = std::move(*records)};
  page.has_more = page.data.size() > limit;
  if (page.has_more) page.data.resize(limit);
  return page;
}

}  // namespace offpeak
