// A family: one question to PostgreSQL, and what its answer means. Each is a file in families/, the only place that says so.
//
// The file is SQL that can be pasted into psql on the newest major. Its header and the comments behind its columns tell the rest:
//
//   -- Tables: their counters.                                   the first line is the description
//   -- Scope: database                                           or "server": once for all databases
//   -- Rows: changed                                             "all"; "changed": between full snapshots only rows that changed;
//                                                                 "one": an object instead of a list; "of databases": each row
//                                                                 is an object in its entry of "databases"
//   -- Every: 60s
//   -- Role: pg_read_all_stats                                   optional; without this role some of it is hidden in silence
//   -- Grants: none                                              what cures a missing privilege
//   -- Cost: one scan of pg_class
//   -- Needs: pg_stat_io                                         optional; a probe: servers without it have no such family
//   -- Extension: pg_stat_statements                             optional; "public". stands for its schema
//   -- Slices: 10                                                optional; one slice of the rows per reading
//   SELECT c.oid AS oid, -- key int: Of the table.
//          pg_stat_get_total_vacuum_time(c.oid) AS vacuum_time_ms, -- counter num ms [18 pg_stat_get_total_vacuum_time()]: ...
//
// A column's comment: kind ("key", "label", "info", "gauge", "counter", "epoch"; "drift": a gauge that changes by itself, at the
// end of the list), type (int, num, text, bool, time; each kind has a default), unit, in brackets the first major that
// has it and the probe that says whether this server does ("relation", "relation.column", "function()"), and its meaning.
// Without its probe a column is NULL. "-- if [probe]" behind any other line leaves the line out. An indented line of its own,
// "-- or SQL [probe]", is what takes the place of the line above it then. Behind a line, "-- slice" marks the line whose last
// number is the slice, "-- keys" the line that ends in a list "(0)" of keys.
//
// Here: reading such files, and the statement for a given server. Pure. [any thread]
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <pganalytics/expected.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace pganalytics::pg_stats {

enum class Scope { kServer, kDatabase };
enum class Extent { kOne, kAll, kChanged, kOfDatabases };
// kKey: part of what identifies a row. kEpoch: since when the row's counters count.
enum class Kind { kKey, kLabel, kInfo, kGauge, kCounter, kEpoch };
enum class Type { kInteger, kNumber, kText, kBoolean, kTime };

struct Column {
  std::string name;
  Kind kind = Kind::kInfo;
  Type type = Type::kText;
  std::string unit;    // UCUM; "" for kinds that have none
  std::string source;  // the SQL expression
  std::string description;
  int since = 0;        // major; 0: all that are supported
  bool drifts = false;  // a gauge that changes by itself: no reason to send the row
};

struct Line {
  std::string sql;     // without its comment
  std::string column;  // the name it is the source of; "": of none
  std::string probe;   // "": always there
  enum class Place { kNone, kSlice, kKeys } place = Place::kNone;
  bool alternative = false;  // to the line before
};

struct Family {
  std::string name;
  std::string description, role, grants, cost;
  Scope scope = Scope::kServer;
  Extent extent = Extent::kAll;
  std::chrono::milliseconds interval{};  // by default
  std::string needs, extension;
  int slices = 1;
  std::vector<Column> columns;  // in the order of the SELECT list
  std::vector<Line> lines;

  [[nodiscard]] std::set<std::string> probes() const;
};

// PGA_E_FAIL ("family") tells file, line and what is wrong with it: our own mistake, which a test finds.
Expected<Family> parse_family(std::string_view name, std::string_view sql);

constexpr int kWhole = -1;  // no slice

// The SELECT for a server on which `known` of the probes hold. extension_schema: quoted as SQL wants it. slice: below slices, or
// kWhole. keys: integers, comma separated.
std::string select_of(const Family& family, const std::set<std::string>& known, const std::string& extension_schema = "",
                      int slice = kWhole, const std::string& keys = "0");

}  // namespace pganalytics::pg_stats
