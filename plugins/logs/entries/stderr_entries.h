// Lines of the stderr format put together to entries: a report of the server is one event however many lines it took.
//
// PostgreSQL indents the further lines of a text with a tab, and writes DETAIL, HINT, CONTEXT, STATEMENT as lines with the same
// prefix as the message. Not here: reading, filtering, redaction. One object per file and run; one thread.
#pragma once

#include "plugins/logs/entries/line_prefix.h"
#include "plugins/logs/event.h"
#include "plugins/logs/line.h"

#include <cstdint>
#include <string>
#include <vector>

namespace pganalytics::logs {

class StderrEntries {
 public:
  // `begin`: offset of the first line to come. `resynchronise`: it is in the middle of an entry that was delivered as far as it
  // could be; what is left of it is passed over.
  StderrEntries(const LinePrefix& prefix, std::uint64_t begin, bool resynchronise)
      : prefix_(prefix), consumed_(begin), passing_over_(resynchronise) {}

  // Entries that are complete are appended to `complete`, in the order in which they begin.
  void add(const Line& line, std::vector<Event>& complete);

  // Up to this offset every entry could be delivered if nothing more came now: the one that the last line belongs to may yet
  // go on, and with it everything that is interleaved with it.
  [[nodiscard]] std::uint64_t boundary() const { return open_.empty() ? consumed_ : open_[first_held()].begin; }

  // No more lines for now. Appends what lies before boundary(), or everything if the last entry is known to be complete, and
  // returns the offset from which to go on next time.
  std::uint64_t finish(bool last_is_complete, std::vector<Event>& complete);

  // Inside what is passed over: the next run has to resynchronise too.
  [[nodiscard]] bool passing_over() const { return passing_over_; }
  [[nodiscard]] std::uint64_t passed_over_bytes() const { return passed_over_bytes_; }

  // What makes a wrong configuration visible.
  struct Tally {
    std::uint64_t with_prefix = 0;
    std::uint64_t without_prefix = 0;  // and not the continuation of a line that has one
    std::uint64_t unknown_labels = 0;  // a severity in another language
    std::uint64_t unknown_zones = 0;
  };
  [[nodiscard]] const Tally& tally() const { return tally_; }

 private:
  struct Open {
    Event event;
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    std::string Event::*text = &Event::message;  // where a continuation goes
    bool report = false;                         // has a prefix: DETAIL and the like may join it
  };

  void labelled(const Line& line, const PrefixMatch& match, std::vector<Event>& complete);
  Open& start(const Line& line, bool report, std::vector<Event>& complete);
  Open* report_of(const std::optional<std::int64_t>& pid);
  void own(Open& entry, const Line& line);
  void describe(Event& event, const PrefixMatch& match);
  [[nodiscard]] std::size_t first_held() const;
  void release(std::size_t count, std::vector<Event>& complete);

  const LinePrefix& prefix_;
  std::vector<Open> open_;  // in the order of `begin`
  std::size_t last_ = 0;    // index of the entry that the last line belongs to
  std::uint64_t consumed_;
  bool passing_over_;
  std::uint64_t passed_over_bytes_ = 0;
  Tally tally_;
};

}  // namespace pganalytics::logs
