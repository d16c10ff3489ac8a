#include "plugins/logs/collector.h"

#include "plugins/logs/entries/csv_entries.h"
#include "plugins/logs/entries/json_entries.h"
#include "plugins/logs/entries/stderr_entries.h"
#include "plugins/logs/entries/syslog_entries.h"
#include "plugins/logs/follow/line_reader.h"
#include "plugins/logs/troubles.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace pganalytics::logs {
namespace {

constexpr char kStateKey[] = "positions";
constexpr std::uint64_t kMaxEntryBytes =
    4 << 20;                                   // an entry that is longer is delivered in part when the run's budget is used up
constexpr std::size_t kHeadBytes = 64 * 1024;  // in which a file shows its format

// How much more this run may read.
class Budget {
 public:
  Budget(Run& run, std::uint64_t bytes)
      : run_(run), bytes_(bytes), reserve_(std::min(run.remaining() / 4, std::chrono::milliseconds(1000))) {}

  void spend(std::uint64_t bytes) { bytes_ -= std::min(bytes, bytes_); }
  [[nodiscard]] bool out_of_bytes() const { return bytes_ == 0; }
  [[nodiscard]] bool out_of_time() const { return run_.cancelled() || run_.remaining() <= reserve_; }

 private:
  Run& run_;
  std::uint64_t bytes_;
  const std::chrono::milliseconds reserve_;  // to emit what was read
};

Expected<Format> format_of(const Config& config, const std::string& path, const ReadableFile& file) {
  if (config.format) return *config.format;
  if (const auto named = format_of_name(path)) return *named;
  if (config.unnamed_format) return *config.unnamed_format;
  PGA_TRY(const std::string head, read_bytes(file, 0, std::min<std::uint64_t>(file.facts().size, kHeadBytes)));
  return recognise_format(path, head, config.line_prefix);
}

std::unique_ptr<EntrySource> make_source(Format format, const Config& config, const Cursor& cursor, const FileFacts& facts) {
  switch (format) {
    case Format::kCsvlog: return std::make_unique<CsvEntries>(cursor.offset, cursor.resynchronise);
    case Format::kJsonlog: return std::make_unique<JsonEntries>(cursor.offset, cursor.resynchronise);
    case Format::kSyslog:
      return std::make_unique<SyslogEntries>(config.line_prefix, config.syslog_ident, facts.mtime_ns / 1'000'000'000,
                                             cursor.offset, cursor.resynchronise);
    case Format::kStderr: break;
  }
  return std::make_unique<StderrEntries>(config.line_prefix, cursor.offset, cursor.resynchronise);
}

// A hole in the log is part of what the log says.
Event gap_event(const Gap& gap, std::int64_t unix_ns) {
  Event event;
  event.unix_ms = unix_ns / 1'000'000;
  event.severity = Severity::kWarning;
  event.message = gap_message(gap);
  return event;
}

// Reads one file on from its cursor and moves the cursor behind what it handed to `documents`.
class FileReading {
 public:
  FileReading(FileAccess& access, const Config& config, Discovery& discovery, FollowedFile& file, Budget& budget,
              Documents& documents, Problems& problems)
      : access_(access),
        config_(config),
        discovery_(discovery),
        file_(file),
        budget_(budget),
        documents_(documents),
        problems_(problems) {}

  Outcome run() {
    const auto opened = access_.open(file_.cursor.path);
    if (!opened) return tell(opened.error());
    const ReadableFile& file = *opened.value();
    if (!(file.facts().id == file_.cursor.id)) return {};  // rotated since the survey: the next run sees it under its new name
    const auto format = format_of(config_, file_.cursor.path, file);
    if (!format) return tell(format.error());
    LineReader reader(file, file_.cursor.offset);
    const auto entries = make_source(format.value(), config_, file_.cursor, file.facts());
    PGA_CHECK(read_lines(reader, *entries));
    PGA_CHECK(settle(file, reader, *entries));
    tell_troubles(entries->tally(), format.value(), file_.cursor.path, problems_);
    return {};
  }

 private:
  // One file's trouble is not the run's.
  Outcome tell(const Error& error) {
    problems_.push_back({error.code, error.message});
    return {};
  }

  Outcome read_lines(LineReader& reader, EntrySource& entries) {
    constexpr unsigned kLinesBetweenClockReadings = 64;
    for (unsigned lines = 0;; ++lines) {
      if (lines % kLinesBetweenClockReadings == 0) out_of_time_ = budget_.out_of_time();
      const std::uint64_t read = reader.offset() - file_.cursor.offset;
      const bool enough = budget_.out_of_bytes() || documents_.full();
      if (out_of_time_ || (enough && (entries.boundary() > file_.cursor.offset || read > kMaxEntryBytes))) {
        stopped_ = true;
        return {};
      }
      const auto line = reader.next();
      if (!line) {
        problems_.push_back({line.error().code, file_.cursor.path + ": " + line.error().message});
        stopped_ = true;
        return {};
      }
      if (!line.value()) return {};
      budget_.spend(line.value()->end - line.value()->begin);
      entries.add(*line.value(), complete_);
      PGA_CHECK(hand_over());
    }
  }

  // Decides whether the last entry is complete, delivers, and sets the cursor.
  Outcome settle(const ReadableFile& file, LineReader& reader, EntrySource& entries) {
    Cursor& cursor = file_.cursor;
    const bool resting =
        file.facts().size == cursor.size || (access_.now_ns() - file.facts().mtime_ns) / 1'000'000 >= config_.idle_ms;
    // A line without its newline will get it, unless the server writes to another file now.
    if (!stopped_ && resting && file_.superseded && reader.has_rest()) entries.add(reader.rest(), complete_);
    const bool endless = stopped_ && entries.boundary() == cursor.offset && reader.offset() - cursor.offset > kMaxEntryBytes;
    Rest rest = Rest::kGrowing;
    if (!stopped_ && resting && !reader.has_rest()) rest = file_.superseded ? Rest::kOver : Rest::kResting;
    if (endless) rest = Rest::kOver;
    cursor.offset = entries.finish(rest, complete_);
    cursor.resynchronise = endless || entries.passing_over();
    cursor.size = std::max(file.facts().size, cursor.offset);
    cursor.mtime_ns = file.facts().mtime_ns;
    PGA_TRY(cursor.fingerprint, take_fingerprint(file, cursor.size, cursor.offset));
    return hand_over();
  }

  Outcome hand_over() {
    for (Event& event : complete_) {
      if (discovery_.accept(event)) {
        PGA_CHECK(documents_.add(event));
      } else {
        documents_.count_own();
      }
    }
    complete_.clear();
    return {};
  }

  FileAccess& access_;
  const Config& config_;
  Discovery& discovery_;
  FollowedFile& file_;
  Budget& budget_;
  Documents& documents_;
  Problems& problems_;
  std::vector<Event> complete_;
  bool out_of_time_ = false;
  bool stopped_ = false;
};

}  // namespace

Outcome LogsCollector::configure(std::string_view config_json, bool dry_run) {
  PGA_TRY(Config config, parse_config(config_json));
  if (!dry_run) discovery_.configure(config);
  return {};
}

// The state is read anew in each run: what the run before staged may have been dropped.
Outcome LogsCollector::collect(Run& run) {
  PGA_TRY(auto plan, discovery_.plan(run));
  FileAccess& files = plan.on_server ? *plan.on_server : local_files_;
  Documents documents(run, plan.config);
  if (!plan.readable) return documents.finish({}, plan.problems);

  PGA_TRY(const auto stored, host_.state_get(kStateKey));
  PGA_TRY(State state, parse_state(stored.value_or("")));
  Start start = plan.config.start_at_end ? Start::kEnd : Start::kBeginning;
  if (plan.discovered && !state.watched.empty()) start = plan.written_in_parallel ? Start::kEnd : Start::kEndOfOlder;
  Survey survey = survey_files(files, plan.config.paths, start, state);
  Problems& problems = plan.problems;
  problems.insert(problems.end(), survey.problems.begin(), survey.problems.end());
  for (const Gap& gap : survey.gaps) {
    problems.push_back({"logs.lost", gap_message(gap)});
    Event event = gap_event(gap, run.scheduled_unix_ns());
    PGA_CHECK(documents.add(event));
  }
  Budget budget(run, plan.config.max_bytes_per_run);
  std::vector<FollowedFile> of_interest;
  for (FollowedFile& file : survey.files) {
    const std::uint64_t from = file.cursor.offset;
    if (file.readable && file.size == from) {
      file.cursor.size = file.size;
      file.cursor.mtime_ns = file.mtime_ns;
    } else if (file.readable && !budget.out_of_bytes() && !budget.out_of_time() && !documents.full()) {
      PGA_CHECK(FileReading(files, plan.config, discovery_, file, budget, documents, problems).run());
    }
    if (file.cursor.offset != from || !file.cursor.done()) of_interest.push_back(file);
  }
  PGA_CHECK(documents.finish(of_interest, problems));

  state.watched = survey.watched;
  state.cursors.clear();
  for (FollowedFile& file : survey.files) {
    if (!file.farewell || !file.cursor.done()) state.cursors.push_back(std::move(file.cursor));
  }
  const std::string json = state_json(std::move(state));
  if (stored == json) return {};
  return host_.state_set(kStateKey, json);
}

}  // namespace pganalytics::logs
