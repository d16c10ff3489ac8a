// Files that a syslog daemon wrote of what the server sent it (log_destination = 'syslog').
//
// The server sends the lines of a report as messages of their own, and long ones in several (elog.c: write_syslog):
//   [N-M] text   with syslog_sequence_numbers: the process's Nth report, its Mth chunk; [N] if syslog_split_messages is off
//   [M] text     without
// A chunk goes over at most 900 bytes and begins, when it is not a line of its own, with the blank that it was divided at.
// Daemons write a tab as #011 and, when messages are not split, a newline as #012; a text in which such a word stood before is
// not told from that. A chunk that begins with a tab is taken for a new line of a text. What other programs write into the same
// file is passed over. One object per file and run; one thread.
#pragma once

#include "plugins/logs/entries/entry_source.h"
#include "plugins/logs/entries/report_assembly.h"
#include "plugins/logs/entries/syslog_header.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace pganalytics::logs {

class SyslogEntries : public EntrySource {
 public:
  // See StderrEntries; `ident`: the server's syslog_ident; for `newest_unix_s` see SyslogClock.
  SyslogEntries(const LinePrefix& prefix, std::string ident, std::int64_t newest_unix_s, std::uint64_t begin, bool resynchronise)
      : reports_(prefix, kReachLines, begin, host_zone_, tally_),
        ident_(std::move(ident)),
        clock_(newest_unix_s),
        passing_over_(resynchronise) {}

  void add(const Line& line, std::vector<Event>& complete) override;

  // Chunks of processes that write at the same time interleave: what came in the last lines may yet go on.
  [[nodiscard]] std::uint64_t boundary() const override { return reports_.boundary(); }
  std::uint64_t finish(Rest rest, std::vector<Event>& complete) override { return reports_.finish(rest, complete); }
  [[nodiscard]] bool passing_over() const override { return passing_over_; }

 private:
  static constexpr std::size_t kReachLines = 64;

  // Of a process: which report, and which chunk of it, came last.
  struct Place {
    std::uint64_t report = 0;
    std::uint64_t chunk = 0;
  };

  void add_line_of_text(const Line& line, const SyslogHeader& header, std::uint64_t process, std::string_view text, bool first,
                        std::vector<Event>& complete);
  void rest_of_overlong(const Line& line);
  void follow_chunks(std::uint64_t process, std::string_view number);

  ReportAssembly reports_;
  const std::string ident_;
  SyslogClock clock_;
  bool passing_over_;
  bool skipping_line_ = false;  // the pieces of another program's line
  std::unordered_map<std::uint64_t, Place> places_;
};

}  // namespace pganalytics::logs
