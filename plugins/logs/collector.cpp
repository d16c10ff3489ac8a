#include "plugins/logs/collector.h"

#include "plugins/logs/file_reading.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <string>
#include <utility>

namespace pganalytics::logs {
namespace {

constexpr char kStateKey[] = "positions";
constexpr std::ptrdiff_t kMaxHeld = 16;                                   // files that stay open between runs
constexpr std::int64_t kRemovedFor_ns = 60'000'000'000;                   // so long unwritten, a removed file is let go
constexpr std::chrono::nanoseconds kLookEvery = std::chrono::minutes(1);  // even if nothing seems to happen

// A hole in the log is part of what the log says.
Event gap_event(const Gap& gap, std::int64_t unix_ns) {
  Event event;
  event.unix_ms = unix_ns / 1'000'000;
  event.severity = Severity::kWarning;
  event.message = gap_message(gap);
  return event;
}

// Read to its end, and of no further interest.
bool is_over(const FollowedFile& file, std::int64_t now_ns) {
  return file.cursor.done() && (file.farewell || (file.removed && now_ns - file.mtime_ns > kRemovedFor_ns));
}

// Of files that are new and were written at the same moment, as clocks of file systems tell it, those that begin within an entry
// come after that with the entry's beginning.
void put_successors_last(std::vector<FollowedFile>& files, const Reading& reading) {
  for (auto first = files.begin(); first != files.end();) {
    const auto differs = [&](const FollowedFile& file) { return file.mtime_ns != first->mtime_ns || file.cursor.offset > 0; };
    const auto last = std::find_if(first, files.end(), differs);
    if (last - first > 1) {
      std::stable_partition(first, last, [&](const FollowedFile& file) { return !begins_within_entry(reading, file); });
    }
    first = last == first ? std::next(first) : last;
  }
}

// The files that a log may have gone on in: the next younger ones in the folder of which nothing is read yet.
std::vector<FollowedFile*> successors_of(std::vector<FollowedFile>& files, std::size_t index) {
  constexpr std::size_t kMost = 4;
  const std::string folder = folder_of(files[index].cursor.path);
  std::vector<FollowedFile*> found;
  for (std::size_t i = index + 1; i < files.size() && found.size() < kMost; ++i) {
    FollowedFile& file = files[i];
    const bool is_new = file.readable && !file.removed && file.cursor.offset == 0 && file.size > 0;
    if (is_new && folder_of(file.cursor.path) == folder) found.push_back(&file);
  }
  return found;
}

}  // namespace

Outcome LogsCollector::configure(std::string_view config_json, bool dry_run) {
  PGA_TRY(Config config, parse_config(config_json));
  if (dry_run) return {};
  for (const std::string& glob : config.classes.unknown()) {
    host_.log(PGA_LOG_WARN, "'" + glob + "' is no class of events that this version knows; it is ignored");
  }
  discovery_.configure(config);
  return {};
}

// The state is read anew in each run: what the run before staged may have been dropped.
Outcome LogsCollector::collect(Run& run) {
  PGA_TRY(auto plan, discovery_.plan(run));
  FileAccess& files = plan.on_server ? *plan.on_server : local_files_;
  Documents documents(run, plan.config);
  if (!plan.readable) return documents.finish({}, plan.problems);

  PGA_TRY(const auto stored, host_.state_get(kStateKey));
  if (is_quiet(stored, plan)) return documents.finish({}, plan.problems);
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
  Reading reading{files, plan.config, discovery_, budget, documents, problems};
  put_successors_last(survey.files, reading);
  std::vector<FollowedFile> of_interest;
  std::set<std::string> waiting;  // folders in which a file is not read as far as it must be before those that go on in it
  for (std::size_t i = 0; i < survey.files.size(); ++i) {
    FollowedFile& file = survey.files[i];
    const std::uint64_t from = file.cursor.offset;
    const bool goes_on = from == 0 && waiting.count(folder_of(file.cursor.path)) > 0 && begins_within_entry(reading, file);
    file.waits = file.waits || goes_on;
    if (file.readable && file.size == from) {
      file.cursor.size = file.size;
      file.cursor.mtime_ns = file.mtime_ns;
    } else if (file.readable && !file.waits && !budget.out_of_bytes() && !budget.out_of_time() && !documents.full()) {
      PGA_CHECK(FileReading(reading, file, successors_of(survey.files, i)).run());
    }
    if (file.waits) waiting.insert(folder_of(file.cursor.path));
    if (file.cursor.offset != from || !file.cursor.done()) of_interest.push_back(file);
  }
  PGA_CHECK(documents.finish(of_interest, problems));

  state.watched = survey.watched;
  state.cursors.clear();
  std::vector<ListedFile> to_hold;
  bool all_done = problems.empty();
  for (FollowedFile& file : survey.files) {
    all_done = all_done && file.cursor.done() && file.cursor.offset >= file.size && !file.removed;
    if (is_over(file, files.now_ns())) continue;
    if (!file.superseded || file.removed || !file.cursor.done()) {
      to_hold.push_back({file.cursor.path, {file.cursor.id, file.size, file.mtime_ns}});
    }
    state.cursors.push_back(std::move(file.cursor));
  }
  if (!plan.on_server) hold(to_hold, state.cursors);
  const std::string json = state_json(std::move(state));
  settled_state_ = all_done && !plan.on_server ? json : "";
  if (stored == json) return {};
  return host_.state_set(kStateKey, json);
}

// Nothing is to be read and nothing has happened since; what was believed to be stored is.
bool LogsCollector::is_quiet(const std::optional<std::string>& stored, const Discovery::Plan& plan) {
  const bool changed = watch_.may_have_changed();
  const bool looked_lately = monotonic_now_ns() - looked_mono_ns_ < kLookEvery.count();
  const bool same_paths = plan.config.paths == looked_paths_;
  if (!changed && looked_lately && same_paths && !plan.on_server && !settled_state_.empty() && stored == settled_state_)
    return true;
  looked_mono_ns_ = monotonic_now_ns();
  looked_paths_ = plan.config.paths;
  settled_state_.clear();  // should this run fail, what was told of changes is told no more
  return false;
}

// So that a file which is renamed and removed before the next run is read to its end all the same: the youngest ones.
void LogsCollector::hold(std::vector<ListedFile>& files, const std::vector<Cursor>& cursors) {
  if (files.size() > kMaxHeld) files.erase(files.begin(), files.end() - kMaxHeld);
  local_files_.hold(files);
  std::vector<std::string> paths;
  for (const Cursor& cursor : cursors) paths.push_back(cursor.path);
  watch_.watch(paths);
}

}  // namespace pganalytics::logs
