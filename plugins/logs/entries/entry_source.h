// What turns the lines of a log file into events: one implementation for each format, behind which all is the same.
//
// Here: the seam, and what every format counts. Not here: reading files (../follow), what may leave (../privacy). One object
// per file and run, on the run's thread.
#pragma once

#include "plugins/logs/entries/log_time.h"
#include "plugins/logs/event.h"
#include "plugins/logs/line.h"

#include <cstdint>
#include <vector>

namespace pganalytics::logs {

inline constexpr std::size_t kMaxTextBytes = 256 * 1024;  // of one text of one entry

// What makes a wrong configuration, or a damaged file, visible.
struct Tally {
  std::uint64_t fitting = 0;         // lines, or records, that are of the format
  std::uint64_t not_fitting = 0;     // that are not; each is an event without a severity
  std::uint64_t torn = 0;            // entries whose rest is missing
  std::uint64_t missing_chunks = 0;  // of entries that syslog got in several
  std::uint64_t other_programs = 0;  // lines of a syslog file that are not the server's
  std::uint64_t similar_idents = 0;  // among them, of a program whose name begins like the server's
  std::uint64_t unknown_labels = 0;  // severities in another language
  std::uint64_t unknown_zones = 0;   // times whose zone is not known here
  std::uint64_t passed_over_bytes = 0;
};

// What is known of the file's end when no more lines come for now.
enum class Rest {
  kGrowing,  // the last entry may go on
  kResting,  // nothing was written for a while: an entry that only the next one would end is complete
  kOver,     // nothing will come: whatever is there is all of it
};

class EntrySource {
 public:
  EntrySource() = default;
  EntrySource(const EntrySource&) = delete;
  EntrySource& operator=(const EntrySource&) = delete;
  virtual ~EntrySource() = default;

  // Entries that are complete are appended to `complete`, in the order in which they begin.
  virtual void add(const Line& line, std::vector<Event>& complete) = 0;

  // Up to this offset every entry could be delivered if nothing more came now.
  [[nodiscard]] virtual std::uint64_t boundary() const = 0;

  // No more lines for now. Appends what is complete, and returns the offset from which to go on next time.
  virtual std::uint64_t finish(Rest rest, std::vector<Event>& complete) = 0;

  // Inside an entry that was delivered as far as it could be, and whose rest is passed over: the next run has to resynchronise.
  [[nodiscard]] virtual bool passing_over() const = 0;

  [[nodiscard]] const Tally& tally() const { return tally_; }

 protected:
  Tally tally_;
  HostZoneMemory host_zone_;
};

}  // namespace pganalytics::logs
