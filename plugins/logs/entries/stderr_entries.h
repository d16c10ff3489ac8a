// The stderr format: reports as the server writes them, with log_line_prefix in front of each line but continuations.
//
// Not here: what lines make one report (report_assembly), reading, filtering, redaction. One object per file and run; one
// thread.
#pragma once

#include "plugins/logs/entries/entry_source.h"
#include "plugins/logs/entries/report_assembly.h"

#include <cstdint>
#include <vector>

namespace pganalytics::logs {

class StderrEntries : public EntrySource {
 public:
  // `begin`: offset of the first line to come. `resynchronise`: it is in the middle of an entry that was delivered as far as it
  // could be; what is left of it is passed over.
  StderrEntries(const LinePrefix& prefix, std::uint64_t begin, bool resynchronise)
      : reports_(prefix, kReachLines, begin, host_zone_, tally_), passing_over_(resynchronise) {}

  void add(const Line& line, std::vector<Event>& complete) override;

  // The entry that the last line belongs to may yet go on, and with it everything that is interleaved with it.
  [[nodiscard]] std::uint64_t boundary() const override { return reports_.boundary(); }
  std::uint64_t finish(Rest rest, std::vector<Event>& complete) override { return reports_.finish(rest, complete); }
  [[nodiscard]] bool passing_over() const override { return passing_over_; }

 private:
  static constexpr std::size_t kReachLines = 1;  // a report is written at once

  ReportAssembly reports_;
  bool passing_over_;
};

}  // namespace pganalytics::logs
