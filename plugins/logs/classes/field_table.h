// What an event says beyond its message's first line, as fields: data, one row for each sentence of a server.
//
// The sentences are those of PostgreSQL 14 to 18 (src/backend; what a version words differently has a row of its own). A row may
// only name what is never private, because it is read before redaction: process ids, lock modes, names and oids of objects, LSNs,
// transaction ids, sizes, times, counts. Never a value of a column, a statement, a parameter. Immutable; any thread.
#pragma once

#include <cstddef>
#include <string_view>

namespace pganalytics::logs {

// Where a row's sentence stands. A text is compared as a whole where a value that a user chose could otherwise end a line and
// begin the next one in the server's words.
enum class FieldSource {
  kMessage,
  kMessageLine,  // any line of it
  kDetail,
  kDetailLine,    // the lines before the first one that no row knows
  kContextStart,  // its first line
};

struct FieldRow {
  std::string_view classes;  // a class's name, or "group.*"
  FieldSource source;
  // As EventClass::shape; moreover {name[]} for whole numbers with ", " between them. All rows that fit give their fields; of one
  // name the first row's stands.
  std::string_view shape;
  std::string_view list = {};  // the fields are one element of this list, a line an element; empty: they are the event's
};

struct FieldTable {
  const FieldRow* rows;
  std::size_t size;
  [[nodiscard]] const FieldRow* begin() const { return rows; }
  [[nodiscard]] const FieldRow* end() const { return rows + size; }
};

FieldTable field_rows();

}  // namespace pganalytics::logs
