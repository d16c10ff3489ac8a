// A row that COPY sent, as a family's columns understand it: its identity, its counters, its members as JSON.
//
// No allocation per row once the buffers have grown. One thread at a time.
#pragma once

#include <optional>
#include <pganalytics/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/pg_stats/family.h"
#include "plugins/pg_stats/history.h"

namespace pganalytics::pg_stats {

class RowReader {
 public:
  explicit RowReader(const Family& family);

  // `line` is borrowed until the next call. PGA_E_FAIL ("pg.protocol"): it has not as many fields as the family has columns.
  Outcome read(std::string_view line);

  // The fields of the key columns, joined; the epoch's field, "" if there is none or it is NULL.
  [[nodiscard]] std::string_view key() const { return key_; }
  [[nodiscard]] std::string_view epoch() const;
  // All that makes a row another one: up to the columns that drift.
  [[nodiscard]] std::string_view content() const { return content_; }
  // Of the counter columns, in their order; 0 where NULL, or what no counter can be.
  [[nodiscard]] const std::vector<CounterValue>& counters() const { return counters_; }
  // As COPY sent it.
  [[nodiscard]] std::optional<std::string_view> field(std::size_t column) const { return fields_[column]; }
  // What it stands for; "" for NULL. Until the next call.
  [[nodiscard]] std::string_view text(std::size_t column);

  // The members of the row's object. nulls: NULL is written as null; else the member is left out.
  void write(JsonWriter& json, bool nulls);
  // The members of "growth": counters that have grown.
  void write_growth(JsonWriter& json, const std::vector<CounterValue>& growth) const;

  // Which counters are no integers.
  static std::vector<bool> number_counters(const Family& family);

 private:
  void write_value(JsonWriter& json, const Column& column, std::string_view field);

  const Family& family_;
  std::string_view content_;
  std::vector<std::optional<std::string_view>> fields_;
  std::vector<CounterValue> counters_;
  std::string key_, buffer_;
};

}  // namespace pganalytics::pg_stats
