// A row's columns as members of a JSON object: the SQL file decides names and types, this file only spells them.
#pragma once

#include <pganalytics/json.hpp>

#include "core/postgres/connection.h"

namespace pganalytics::pg_stats {

// Columns from `first` on, named as in the SQL; NULL is null. int2/int4/int8, float4/float8 and bool as such, all else as text.
inline void write_members(JsonWriter& json, const postgres::Rows& rows, int row, int first) {
  for (int column = first; column < rows.columns(); ++column) {
    json.key(rows.name(column));
    if (rows.is_null(row, column)) {
      json.value(nullptr);
      continue;
    }
    switch (rows.type(column)) {  // OIDs of pg_type, fixed since ever (pg_type.dat)
      case 16: json.value(rows.boolean(row, column)); break;
      case 20:
      case 21:
      case 23: json.value(rows.int64(row, column)); break;
      case 700:
      case 701: json.value(rows.number(row, column)); break;
      default: json.value(rows.text(row, column));
    }
  }
}

}  // namespace pganalytics::pg_stats
