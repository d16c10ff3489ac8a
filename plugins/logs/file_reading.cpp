#include "plugins/logs/file_reading.h"

#include "plugins/logs/entries/beginning.h"
#include "plugins/logs/entries/make_source.h"
#include "plugins/logs/follow/joined_file.h"
#include "plugins/logs/troubles.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

namespace pganalytics::logs {
namespace {

// An entry that is longer is delivered in part when the run's budget is used up.
constexpr std::uint64_t kMaxEntryBytes = 4 << 20;
constexpr std::size_t kHeadBytes = 64 * 1024;  // in which a file shows its format

// nullopt: the file does not show it (yet).
Expected<std::optional<Format>> shown_format(const Config& config, const std::string& path, const ReadableFile& file) {
  if (config.format) return config.format;
  if (const auto named = format_of_name(path)) return named;
  if (config.unnamed_format) return config.unnamed_format;
  PGA_TRY(const std::string head, read_bytes(file, 0, std::min<std::uint64_t>(file.facts().size, kHeadBytes)));
  return format_of_head(head, config.line_prefix);
}

// The bytes at a file's beginning that belong to the last entry of the file before it.
struct Head {
  std::uint64_t bytes = 0;
  bool ends = false;  // the beginning of an entry follows, or more than any entry has
};

Expected<Head> measure_head(const ReadableFile& file, bool after_half_line, Format format, const Config& config) {
  Head head;
  LineReader reader(file, 0);
  for (bool half = after_half_line; !head.ends; half = false) {
    PGA_TRY(const auto line, reader.next());
    if (!line) break;
    const Beginning begins = what_begins(line->text, format, config.line_prefix, config.syslog_ident);
    const bool belongs = begins == Beginning::kContinuation || (begins == Beginning::kOther && half);
    if (belongs) head.bytes = line->end;
    head.ends = !belongs || head.bytes > kMaxEntryBytes;
  }
  return head;
}

}  // namespace

bool begins_within_entry(const Reading& reading, const FollowedFile& followed) {
  const auto file = reading.access.open(followed.cursor.path);
  if (!file) return false;
  const auto format = shown_format(reading.config, followed.cursor.path, *file.value());
  if (!format) return false;
  LineReader reader(*file.value(), 0);
  const auto line = reader.next();
  if (!line || !line.value()) return false;
  return what_begins(line.value()->text, format.value().value_or(Format::kStderr), reading.config.line_prefix,
                     reading.config.syslog_ident) != Beginning::kEntry;
}

Budget::Budget(Run& run, std::uint64_t bytes)
    : run_(run), bytes_(bytes), reserve_(std::min(run.remaining() / 4, std::chrono::milliseconds(1000))) {}

void Budget::spend(std::uint64_t bytes) { bytes_ -= std::min(bytes, bytes_); }

Outcome FileReading::run() {
  const auto opened = open();
  if (!opened) return tell(opened.error());
  const ReadableFile& file = *opened.value();
  if (!(file.facts().id == file_.cursor.id)) return {};  // rotated since the survey: the next run sees it under its new name
  if (auto chosen = choose_format(file); !chosen) return tell(chosen.error());
  LineReader reader(file, file_.cursor.offset);
  const SourcePlace place{file_.cursor.offset, file_.cursor.resynchronise, file.facts().mtime_ns / 1'000'000'000};
  const auto entries = make_source(format_, reading_.config.line_prefix, reading_.config.syslog_ident, place);
  PGA_CHECK(read_lines(reader, *entries));
  PGA_CHECK(settle(file, reader, *entries));
  tell_troubles(entries->tally(), format_, file_.cursor.path, reading_.problems);
  return {};
}

Expected<std::unique_ptr<ReadableFile>> FileReading::open() {
  if (!file_.removed) return reading_.access.open(file_.cursor.path);
  if (auto held = reading_.access.held(file_.cursor.id)) return held;
  return Error{PGA_E_FAIL, "logs.open", "cannot go on in " + file_.cursor.path + ", which was removed", "", 0};
}

// A piece that is shorter than a line is of its successor's format. Else stderr, and its line_prefix problem says so.
Outcome FileReading::choose_format(const ReadableFile& file) {
  PGA_TRY(auto shown, shown_format(reading_.config, file_.cursor.path, file));
  for (auto successor = successors_.begin(); !shown && successor != successors_.end(); ++successor) {
    if (const auto next = reading_.access.open((*successor)->cursor.path)) {
      PGA_TRY(shown, shown_format(reading_.config, (*successor)->cursor.path, *next.value()));
    }
  }
  format_ = shown.value_or(Format::kStderr);
  return {};
}

// One file's trouble is not the run's.
Outcome FileReading::tell(const Error& error) const {
  reading_.problems.push_back({error.code, error.message});
  return {};
}

Outcome FileReading::read_lines(LineReader& reader, EntrySource& entries) {
  constexpr unsigned kLinesBetweenClockReadings = 64;
  Budget& budget = reading_.budget;
  for (unsigned lines = 0;; ++lines) {
    if (lines % kLinesBetweenClockReadings == 0) out_of_time_ = budget.out_of_time();
    const std::uint64_t read = reader.offset() - file_.cursor.offset;
    const bool enough = budget.out_of_bytes() || reading_.documents.full();
    if (out_of_time_ || (enough && (entries.boundary() > file_.cursor.offset || read > kMaxEntryBytes))) {
      stopped_ = true;
      return {};
    }
    const auto line = reader.next();
    if (!line) {
      stopped_ = true;
      return tell(Error(line.error()).while_doing(file_.cursor.path));
    }
    if (!line.value()) return {};
    budget.spend(line.value()->end - line.value()->begin);
    entries.add(*line.value(), complete_);
    PGA_CHECK(hand_over());
  }
}

bool FileReading::is_idle(const FileFacts& facts) const {
  return (reading_.access.now_ns() - facts.mtime_ns) / 1'000'000 >= reading_.config.idle_ms;
}

bool FileReading::is_resting(const FileFacts& facts, const Cursor& cursor) const {
  const bool seen_before = cursor.mtime_ns != 0;
  return (seen_before && facts.size == cursor.size) || is_idle(facts);
}

// Whoever copies and truncates a file, or divides a stream into files by size, may do so within an entry or a line. Its rest is
// what the successor begins with if that is the beginning of no entry; both cursors move in this run, or none does.
Outcome FileReading::join(const ReadableFile& file, LineReader& reader, EntrySource& entries) {
  const bool unfinished = reader.has_rest() || entries.boundary() < reader.offset();
  if (stopped_ || !unfinished || entries.passing_over()) return {};
  for (FollowedFile* successor : successors_) {
    const auto done = join_with(*successor, file, reader, entries);
    if (!done) return tell(done.error());
    if (done.value()) return {};
  }
  return {};
}

// false: the entry does not go on there, but may in a younger file.
Expected<bool> FileReading::join_with(FollowedFile& successor, const ReadableFile& file, LineReader& reader,
                                      EntrySource& entries) {
  PGA_TRY(const auto next, reading_.access.open(successor.cursor.path));
  if (!(next->facts().id == successor.cursor.id)) return false;
  PGA_TRY(const auto format, shown_format(reading_.config, successor.cursor.path, *next));
  if (format.value_or(format_) != format_) return false;
  PGA_TRY(const Head head, measure_head(*next, reader.has_rest(), format_, reading_.config));
  Cursor& cursor = successor.cursor;
  // So short a file would not be known again, were it copied and truncated now.
  const bool unmistakable = next->facts().size >= kTellingBytes || !successor.youngest || is_idle(next->facts());
  if ((!head.ends && !is_resting(next->facts(), cursor)) || !unmistakable) {
    file_.waits = successor.waits = true;
    cursor.size = next->facts().size;
    cursor.mtime_ns = next->facts().mtime_ns;
    return true;
  }
  // Another entry begins: that one is over. A line that has no end must have it somewhere.
  if (head.bytes == 0) return !reader.has_rest();
  PGA_TRY(const Fingerprint fingerprint, take_fingerprint(*next, next->facts().size, head.bytes));
  PGA_TRY(const std::string bytes, read_bytes(*next, 0, head.bytes));
  const JoinedFile joined(file, reader.end(), bytes);
  reader.continue_in(joined);
  for (;;) {
    PGA_TRY(const auto line, reader.next());
    if (!line) break;
    entries.add(*line, complete_);
  }
  reader.continue_in(file);
  cursor.offset = head.bytes;
  cursor.size = std::max(cursor.size, cursor.offset);
  cursor.fingerprint = fingerprint;
  joined_ = true;
  return true;
}

// Decides whether the last entry is complete, delivers, and sets the cursor.
Outcome FileReading::settle(const ReadableFile& file, LineReader& reader, EntrySource& entries) {
  Cursor& cursor = file_.cursor;
  const bool resting = is_resting(file.facts(), cursor);
  const std::uint64_t end = reader.end();
  PGA_CHECK(join(file, reader, entries));
  // A line without its newline will get it, unless the server writes to another file now.
  const bool is_over = joined_ || (resting && file_.superseded && !file_.waits);
  if (!stopped_ && is_over && reader.has_rest()) entries.add(reader.rest(), complete_);
  const bool endless = stopped_ && entries.boundary() == cursor.offset && reader.offset() - cursor.offset > kMaxEntryBytes;
  Rest rest = Rest::kGrowing;
  if (!stopped_ && resting && !file_.waits && !reader.has_rest()) rest = file_.superseded ? Rest::kOver : Rest::kResting;
  if (endless || joined_) rest = Rest::kOver;
  cursor.offset = std::min(entries.finish(rest, complete_), end);
  cursor.resynchronise = endless || entries.passing_over();
  cursor.size = std::max(file.facts().size, cursor.offset);
  cursor.mtime_ns = file.facts().mtime_ns;
  PGA_TRY(cursor.fingerprint, take_fingerprint(file, cursor.size, cursor.offset));
  return hand_over();
}

Outcome FileReading::hand_over() {
  for (Event& event : complete_) {
    if (reading_.discovery.accept(event)) {
      PGA_CHECK(reading_.documents.add(event));
    } else {
      reading_.documents.count_own();
    }
  }
  complete_.clear();
  return {};
}

}  // namespace pganalytics::logs
