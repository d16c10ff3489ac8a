// The classes of events: data, one row for each.
//
// The messages are those of PostgreSQL 14 to 18, src/backend; the SQLSTATEs those of src/backend/utils/errcodes.txt. Immutable;
// any thread.
#pragma once

#include <cstddef>
#include <string_view>

namespace pganalytics::logs {

struct EventClass {
  std::string_view name;      // "group.class"
  std::string_view sqlstate;  // or its beginning; empty: of a message that is no error (00000, and 01000 for warnings)
  // The message: words as they are, {name} for a text, {#name} for a number, {_} for what may be there. Empty: any message of the
  // SQLSTATE. Rows of one SQLSTATE stand together, and the last of them is also what its other messages are.
  std::string_view shape;
};

struct ClassTable {
  const EventClass* rows;
  std::size_t size;
  [[nodiscard]] const EventClass* begin() const { return rows; }
  [[nodiscard]] const EventClass* end() const { return rows + size; }
};

ClassTable event_classes();

}  // namespace pganalytics::logs
