// Lines that belong together become one event: what stderr and syslog have in common.
//
// The server writes a report as a line "prefix LABEL:  text" for the message and one for each of DETAIL, HINT, QUERY, CONTEXT,
// LOCATION, BACKTRACE, STATEMENT, and begins the further lines of a text with a tab (elog.c: send_message_to_server_log,
// append_with_tabs). Reports of several processes may interleave. Not here: what separates lines in a file. One object per file
// and run; one thread.
#pragma once

#include "plugins/logs/entries/entry_source.h"
#include "plugins/logs/entries/line_prefix.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pganalytics::logs {

// Does the label name a part of a report, and not the severity that begins one?
bool is_part_label(std::string_view label);

class ReportAssembly {
 public:
  // `reach_lines`: a report may go on as long as fewer lines than that came after its last one, unless its process has begun
  // another. 1: lines of one report stand together.
  ReportAssembly(const LinePrefix& prefix, std::size_t reach_lines, std::uint64_t begin, HostZoneMemory& host_zone, Tally& tally)
      : prefix_(prefix), reach_lines_(reach_lines), consumed_(begin), host_zone_(host_zone), tally_(tally) {}

  struct Open {
    Event event;
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    std::uint64_t process = 0;
    std::size_t last_line = 0;                   // number of the last line that joined it
    std::string Event::*text = &Event::message;  // where a continuation goes
    bool report = false;                         // has a prefix: DETAIL and the like may join it
    bool followed = false;                       // its process has begun another
  };

  // Every line of the file is announced first, whatever becomes of it.
  void next_line(const Line& line) {
    consumed_ = line.end;
    ++lines_;
  }

  // The line as this server writes the first of a text, if it is one. `process` tells processes apart; 0: the prefix does not
  // say.
  [[nodiscard]] std::optional<PrefixMatch> match(std::string_view text) const { return prefix_.match(text); }
  Open& labelled(const Line& line, std::uint64_t process, const PrefixMatch& match, std::vector<Event>& complete);

  // Not a report's: an event of its own.
  Open& other(const Line& line, std::uint64_t process, std::string_view text, std::vector<Event>& complete);

  // The entry goes on.
  void add_line(Open& entry, const Line& line, std::string_view text);   // of several
  void add_piece(Open& entry, const Line& line, std::string_view text);  // of one line
  void cut_piece(Open& entry, const Line& line);                         // that is not kept, but counted

  // nullptr: none is open.
  Open* last();
  Open* latest_of(std::uint64_t process);

  [[nodiscard]] std::uint64_t boundary() const;
  std::uint64_t finish(Rest rest, std::vector<Event>& complete);

 private:
  Open& start(const Line& line, std::uint64_t process, std::vector<Event>& complete);
  void own(Open& entry, const Line& line);
  void describe(Event& event, const PrefixMatch& match);
  [[nodiscard]] std::size_t first_held() const;
  void release(std::size_t count, std::vector<Event>& complete);

  const LinePrefix& prefix_;
  const std::size_t reach_lines_;
  std::vector<Open> open_;  // in the order of `begin`
  std::size_t last_ = 0;    // index of the entry that the last line belongs to
  std::size_t lines_ = 0;
  std::uint64_t consumed_;
  HostZoneMemory& host_zone_;
  Tally& tally_;
};

}  // namespace pganalytics::logs
