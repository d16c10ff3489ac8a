// jsonlog (PostgreSQL 15 and later): each line is one entry, a JSON object.
//
// The keys: jsonlog.c and "Using JSON-Format Log Output" in the documentation of log_destination; what is unknown is passed over.
// A line that is longer than kMaxJsonBytes is read as far as that. One object per file and run; one thread.
#pragma once

#include "plugins/logs/entries/entry_source.h"

#include <cstdint>
#include <string>
#include <vector>

namespace pganalytics::logs {

inline constexpr std::size_t kMaxJsonBytes = 4 << 20;

class JsonEntries : public EntrySource {
 public:
  // See StderrEntries.
  JsonEntries(std::uint64_t begin, bool resynchronise) : consumed_(begin), passing_over_(resynchronise) {}

  // A line that is not such an object is an event without a severity, and counted in the tally.
  void add(const Line& line, std::vector<Event>& complete) override;
  [[nodiscard]] std::uint64_t boundary() const override { return open_ ? line_begin_ : consumed_; }
  std::uint64_t finish(Rest rest, std::vector<Event>& complete) override;
  [[nodiscard]] bool passing_over() const override { return passing_over_; }

 private:
  void deliver(std::string_view text, bool whole, std::vector<Event>& complete);

  std::uint64_t consumed_;
  bool passing_over_;
  bool open_ = false;  // within a line that comes in pieces, or has no newline yet
  std::uint64_t line_begin_ = 0;
  std::string pieces_;
  std::uint64_t cut_bytes_ = 0;
};

}  // namespace pganalytics::logs
