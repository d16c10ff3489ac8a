// Families, series, points and events put into a database by SQL, for tests that read them. Times are Unix seconds.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/postgres_server.h"

namespace pganalytics::testing {

class SeriesBySql {
 public:
  SeriesBySql(PostgresServer& server, std::string database) : server_(server), database_(std::move(database)) {}

  struct Field {
    std::string name, kind, unit;
  };

  // Its id.
  std::string family(const std::string& view, const std::vector<std::string>& labels, const std::vector<Field>& fields,
                     const std::string& plugin = "pg_stats", bool is_events = false) {
    const std::string id = value("insert into pganalytics.families (plugin, name, description, is_events, view) values (" +
                                 quoted(plugin) + ", " + quoted(view) + ", 'Rows of " + view + ".', " +
                                 (is_events ? "true" : "false") + ", " + quoted(view) + ") returning id");
    for (std::size_t i = 0; i < labels.size(); ++i) member(id, "label", i + 1, {labels[i], "", ""});
    for (std::size_t i = 0; i < fields.size(); ++i) member(id, "field", i + 1, fields[i]);
    return id;
  }

  // Its id. Labels are SQL: "'public', null".
  std::string series(const std::string& family_id, const std::string& collector_id, const std::string& labels) {
    return value("insert into pganalytics.series (collector_id, family_id, labels, digest) values (" + quoted(collector_id) +
                 ", " + family_id + ", array[" + labels + "]::text[], decode(md5(row(" + labels +
                 ")::text), 'hex')) returning id");
  }

  // Fields are SQL: "1.5, null".
  void point(const std::string& series_id, std::int64_t unix_s, const std::string& fields) {
    sql("insert into pganalytics.points values (to_timestamp(" + std::to_string(unix_s) + "), " + series_id + ", array[" +
        fields + "]::float8[])");
  }

  // `count` points a step apart; `fields` is SQL over i = 0, 1, ...
  void points(const std::string& series_id, std::int64_t from_unix_s, std::int64_t step_s, int count, const std::string& fields) {
    sql("insert into pganalytics.points select to_timestamp(" + std::to_string(from_unix_s) + " + i * " + std::to_string(step_s) +
        "), " + series_id + ", array[" + fields + "]::float8[] from generate_series(0, " + std::to_string(count - 1) + ") i");
  }

  void event(const std::string& family_id, const std::string& collector_id, std::int64_t unix_s, const std::string& labels,
             const std::string& json) {
    sql("insert into pganalytics.events (time, collector_id, family_id, labels, event) values (to_timestamp(" +
        std::to_string(unix_s) + "), " + quoted(collector_id) + ", " + family_id + ", array[" + labels + "]::text[], " +
        quoted(json) + ")");
  }

  [[nodiscard]] std::string value(const std::string& statement) const { return server_.value(database_, statement); }
  void sql(const std::string& statement) const { server_.sql(database_, statement); }

  static std::string quoted(const std::string& text) {
    std::string quoted = "'";
    for (const char c : text) quoted += c == '\'' ? std::string("''") : std::string(1, c);
    return quoted + "'";
  }

 private:
  void member(const std::string& family_id, const std::string& role, std::size_t position, const Field& field) {
    sql("insert into pganalytics.family_members (family_id, role, position, name, kind, unit, description, ordinal, column_name) "
        "select " +
        family_id + ", " + quoted(role) + ", " + std::to_string(position) + ", " + quoted(field.name) + ", " +
        quoted(field.kind) + ", " + quoted(field.unit) + ", 'What " + field.name + " says.', coalesce(max(ordinal), 0) + 1, " +
        quoted(field.name) + " from pganalytics.family_members where family_id = " + family_id);
  }

  PostgresServer& server_;
  std::string database_;
};

}  // namespace pganalytics::testing
