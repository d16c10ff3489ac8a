// Every row that lies on any page of a spool's file, found without SQLite and without its trees: page by page, cell by cell.
//
// Which table a row belongs to follows from its shape and its checksum (damaged_spool.cpp), so that neither the schema nor a
// tree's inner pages need be sound. Bounded: no recursion, no allocation larger than what the file holds, and in all at most
// twice the file is read through overflow chains. Format: https://www.sqlite.org/fileformat2.html#b_tree_pages. Private to
// core/spool. [one thread at a time]
#pragma once

#include "core/spool/pages.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace pganalytics::spool {

struct Column {
  enum class Kind { kNull, kInteger, kText, kBlob, kOther };
  Kind kind = Kind::kNull;
  std::int64_t integer = 0;
  std::uint64_t bytes_size = 0;
  std::string bytes;  // of a text or blob, once it has been read
};

// A row: its columns but the last one are read; read_last() fetches that, the body of a batch.
class Row {
 public:
  std::int64_t rowid = 0;  // 0 in a table without
  std::vector<Column> columns;
  std::function<bool(std::string&)> read_last;  // false: its pages are damaged
};

// Calls `each` for every row that can be decoded. A batch's body is not among what is read for it.
void for_each_row(const Pages& pages, const std::function<void(Row&)>& each);

}  // namespace pganalytics::spool
