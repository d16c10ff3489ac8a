// csvlog: one CSV record for each entry, whose quoted fields may go over many lines.
//
// The columns, by position: csvlog.c and "Using CSV-Format Log Output" in the documentation of log_destination. Their number
// tells the version: 23 to PostgreSQL 12, 24 with backend_type (13), 26 with leader_pid and query_id (14 to 18); more are passed
// over. Read as a stream: a field is never held longer than kMaxTextBytes, however long the record. One object per file and run;
// one thread.
#pragma once

#include "plugins/logs/entries/entry_source.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pganalytics::logs {

// Does a record begin here, as far as this one line tells? Text within a quoted field never looks like it: there each quote is
// doubled. False also for the rare record whose user or database has a newline in its name.
bool begins_csv_record(std::string_view line);

class CsvEntries : public EntrySource {
 public:
  // See StderrEntries.
  CsvEntries(std::uint64_t begin, bool resynchronise) : consumed_(begin), passing_over_(resynchronise) {}

  // A line that is not of a record is an event without a severity, and counted in the tally, as is what a record lacks that
  // breaks off.
  void add(const Line& line, std::vector<Event>& complete) override;
  [[nodiscard]] std::uint64_t boundary() const override { return open_ ? record_begin_ : consumed_; }

  // A record that is not whole waits for its rest, unless there is none.
  std::uint64_t finish(Rest rest, std::vector<Event>& complete) override;
  [[nodiscard]] bool passing_over() const override { return passing_over_; }

 private:
  static constexpr std::size_t kColumns = 26;
  enum class At { kFieldStart, kPlain, kQuoted, kQuoteInQuoted };

  void begin_record(const Line& line);
  bool read(std::string_view text);  // false: not CSV
  void append(std::string_view text);
  bool next_field();
  void end_of_line(const Line& line, std::vector<Event>& complete);
  void break_off(const Line& line, std::vector<Event>& complete);
  void deliver(bool whole, std::vector<Event>& complete);
  void not_fitting(const Line& line, std::vector<Event>& complete);
  [[nodiscard]] bool is_entry(bool whole) const;
  [[nodiscard]] Event event();
  [[nodiscard]] std::string raw() const;

  std::uint64_t consumed_;
  bool passing_over_;
  bool skipping_line_ = false;  // the pieces of a line that did not fit

  bool open_ = false;  // within a record
  std::uint64_t record_begin_ = 0;
  std::array<std::string, kColumns> fields_;
  std::size_t column_ = 0;
  At at_ = At::kFieldStart;
  std::uint64_t cut_bytes_ = 0;
  // Where the line began, to undo it.
  std::uint64_t line_begin_ = 0;
  std::size_t line_column_ = 0;
  std::size_t line_field_bytes_ = 0;
};

}  // namespace pganalytics::logs
