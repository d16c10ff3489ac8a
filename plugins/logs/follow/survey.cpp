#include "plugins/logs/follow/survey.h"

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <tuple>
#include <utility>

namespace pganalytics::logs {
namespace {

constexpr std::int64_t kLeftAlone_ns =
    3'600'000'000'000;                                  // a file outside the patterns that is not written for so long is let go
constexpr std::int64_t kSuperseded_ns = 2'000'000'000;  // so much younger is the file that succeeds one
constexpr std::uint64_t kBackwards = 64 * 1024;         // how far the beginning of the last line is looked for

struct Found {
  std::string path;
  FileFacts facts;
  bool in_pattern = false;
  bool first_watch = false;  // only patterns match it that are new
  bool claimed = false;      // some cursor is about it
};

// Rotated and compressed: its text was read before, or is out of reach.
Expected<bool> is_compressed(const ReadableFile& file) {
  constexpr std::string_view kMagics[] = {"\x1f\x8b", "\x28\xb5\x2f\xfd",
                                          "\xfd"
                                          "7zXZ",
                                          "BZh", "\x04\x22\x4d\x18"};
  constexpr std::uint64_t kLongest = 6;
  PGA_TRY(const std::string head, read_bytes(file, 0, kLongest));
  return std::any_of(std::begin(kMagics), std::end(kMagics),
                     [&](std::string_view magic) { return head.compare(0, magic.size(), magic) == 0; });
}

// Where the last line that has its newline ends; the size itself if no newline is near.
Expected<std::uint64_t> end_of_last_line(const ReadableFile& file, std::uint64_t size) {
  const std::uint64_t from = size - std::min(size, kBackwards);
  PGA_TRY(const std::string tail, read_bytes(file, from, size - from));
  const std::size_t newline = tail.rfind('\n');
  return newline == std::string::npos ? size : from + newline + 1;
}

class Surveyor {
 public:
  Surveyor(FileAccess& access, Start start, const State& state) : access_(access), start_(start), state_(state) {}

  Survey run(const std::vector<std::string>& patterns) {
    for (const std::string& pattern : patterns) expand(pattern);
    if (found_.empty() && state_.cursors.empty()) say("logs.no_file", "no file matches " + joined(patterns));
    for (const std::uint64_t hash : state_.watched) {
      const auto& now = survey_.watched;
      pattern_removed_ = pattern_removed_ || std::find(now.begin(), now.end(), hash) == now.end();
    }
    for (const Cursor& cursor : state_.cursors) locate(cursor);
    for (const Cursor& cursor : displaced_) relocate(cursor);
    const std::size_t known = survey_.files.size();
    for (const Cursor& cursor : empty_) resume_empty(cursor, known);
    for (std::size_t i = 0; i < found_.size(); ++i) {
      if (!found_[i].claimed && found_[i].in_pattern) begin(found_[i], known);
    }
    put_in_order();
    return std::move(survey_);
  }

 private:
  void say(const char* code, const std::string& message) { survey_.problems.push_back({code, message}); }
  void say(const Error& error) { survey_.problems.push_back({error.code, error.message}); }

  static std::string joined(const std::vector<std::string>& patterns) {
    std::string all;
    for (const std::string& pattern : patterns) all += (all.empty() ? "" : ", ") + pattern;
    return all;
  }

  // --- what is on disk

  void expand(const std::string& pattern) {
    const std::uint64_t hash = hash_bytes(pattern);
    survey_.watched.push_back(hash);
    const bool is_new = std::find(state_.watched.begin(), state_.watched.end(), hash) == state_.watched.end();
    for (const ListedFile& file : access_.matching(pattern, survey_.problems)) {
      Found& found = see(file);
      found.first_watch = is_new && (!found.in_pattern || found.first_watch);
      found.in_pattern = true;
    }
  }

  Found& see(const ListedFile& file) {
    if (Found* known = by_id(file.facts.id)) return *known;
    found_.push_back({file.path, file.facts, false, false, false});
    return found_.back();
  }

  Found* by_id(const FileId& id) {
    const auto found = std::find_if(found_.begin(), found_.end(), [&](const Found& file) { return file.facts.id == id; });
    return found == found_.end() ? nullptr : &*found;
  }

  // Files beside the patterns: where a log file goes when it is rotated.
  void look_beside(const std::string& path) {
    const std::string folder = folder_of(path);
    if (!searched_.insert(folder).second) return;
    for (const ListedFile& file : access_.in_folder(folder, survey_.problems)) see(file);
  }

  // --- cursors of earlier runs

  void locate(const Cursor& cursor) {
    if (by_id(cursor.id) == nullptr) look_beside(cursor.path);
    Found* found = by_id(cursor.id);
    if (found == nullptr) {
      displaced_.push_back(cursor);
      return;
    }
    if (cursor.fingerprint.head_bytes == 0) {
      empty_.push_back(cursor);
      return;
    }
    const auto same = is_same(cursor, *found);
    if (!same) {
      say(same.error());
      follow(cursor, *found, false);
    } else if (same.value()) {
      const bool let_go =
          !found->in_pattern && cursor.offset >= found->facts.size && access_.now_ns() - found->facts.mtime_ns > kLeftAlone_ns;
      found->claimed = true;
      if (!let_go) follow(cursor, *found, true);
    } else {
      displaced_.push_back(cursor);
    }
  }

  // The file was empty, so nothing but its inode tells it from another that has the inode now: one that some cursor knows by its
  // content, or a copy, comes first.
  void resume_empty(const Cursor& cursor, std::size_t known) {
    Found* found = by_id(cursor.id);
    if (found != nullptr && !found->claimed && !is_copy(*found, known)) follow(cursor, *found, true);
  }

  // Does the file still begin with what was read from it?
  Expected<bool> is_same(const Cursor& cursor, const Found& found) const {
    if (found.facts.size == cursor.size && found.facts.mtime_ns == cursor.mtime_ns) return true;
    if (found.facts.size < cursor.offset || found.facts.size < cursor.fingerprint.head_bytes) return false;
    PGA_TRY(const auto file, access_.open(found.path));
    return matches(cursor.fingerprint, *file, cursor.offset);
  }

  void follow(Cursor cursor, Found& found, bool readable) {
    found.claimed = true;
    cursor.id = found.facts.id;
    cursor.path = found.path;
    if (readable && cursor.fingerprint.head_bytes < std::min(kSampleBytes, found.facts.size)) {
      if (auto done = extend_fingerprint(cursor); !done) {
        say(done.error());
        readable = false;
      }
    }
    const bool farewell = pattern_removed_ && !found.in_pattern;
    survey_.files.push_back(
        {std::move(cursor), found.facts.size, found.facts.mtime_ns, readable, false, false, false, false, farewell});
  }

  // Even if this run does not get to read the file, the next one must know it.
  Outcome extend_fingerprint(Cursor& cursor) {
    PGA_TRY(const auto file, access_.open(cursor.path));
    if (!(file->facts().id == cursor.id)) return {};  // rotated a moment ago
    PGA_TRY(cursor.fingerprint, take_fingerprint(*file, file->facts().size, cursor.offset));
    return {};
  }

  // The file is gone, or was truncated, or its inode is another file's now: what was not read is in a copy, or lost.
  void relocate(const Cursor& cursor) {
    look_beside(cursor.path);
    bool unsure = false;
    for (Found& candidate : found_) {
      if (candidate.claimed || candidate.facts.id == cursor.id || !may_hold(candidate, cursor)) continue;
      const auto held = holds(candidate, cursor);
      unsure = unsure || !held;
      if (!held || !held.value()) continue;
      follow(cursor, candidate, true);
      return;
    }
    if (unsure) return keep(cursor);
    if (follow_held(cursor)) return;
    if (cursor.size > cursor.offset) survey_.gaps.push_back({cursor.path, cursor.offset, cursor.size - cursor.offset});
  }

  bool follow_held(const Cursor& cursor) {
    const auto file = access_.held(cursor.id);
    if (file == nullptr || file->facts().size < cursor.offset) return false;
    const auto same = matches(cursor.fingerprint, *file, cursor.offset);
    if (!same || !same.value()) return false;
    survey_.files.push_back({cursor, file->facts().size, file->facts().mtime_ns, true, false, false, true, false, false});
    return true;
  }

  // What could not be read now may be it: the next run decides.
  void keep(const Cursor& cursor) {
    survey_.files.push_back({cursor, cursor.size, cursor.mtime_ns, false, false, false, false, false, false});
  }

  // A few bytes prove little. They are enough where nothing else is at stake, as the file would be read from its beginning
  // otherwise; and where the file was truncated in its place, which is what is done after a copy.
  bool may_hold(const Found& candidate, const Cursor& cursor) {
    if (cursor.fingerprint.tells_files_apart()) return true;
    if (cursor.fingerprint.head_bytes == 0 || !candidate.in_pattern) return false;
    const Found* in_place = by_id(cursor.id);
    return cursor.offset == 0 || (in_place != nullptr && in_place->path == cursor.path);
  }

  // An error: it may. What may not be read at all, or is gone, is not what was read before.
  Expected<bool> holds(const Found& candidate, const Cursor& cursor) const {
    if (candidate.facts.size < cursor.offset || candidate.facts.size < cursor.fingerprint.head_bytes) return false;
    const auto file = access_.open(candidate.path);
    if (!file) return false;
    return matches(cursor.fingerprint, *file.value(), cursor.offset);
  }

  // --- files without a cursor

  void begin(Found& found, std::size_t known) {
    const auto file = access_.open(found.path);
    if (!file) {
      say(file.error());
      return;
    }
    const auto compressed = is_compressed(*file.value());
    if (!compressed) return say(compressed.error());
    if (compressed.value()) return;
    Cursor cursor;
    if (found.first_watch && starts_at_end(found)) {
      const auto end = end_of_last_line(*file.value(), found.facts.size);
      if (!end) return say(end.error());
      cursor.offset = end.value();
    } else if (found.facts.mtime_ns <= state_.forgotten_ns || is_copy(found, known)) {
      return;
    }
    follow(std::move(cursor), found, true);
  }

  [[nodiscard]] bool starts_at_end(const Found& found) const {
    if (start_ != Start::kEndOfOlder) return start_ == Start::kEnd;
    return std::any_of(state_.cursors.begin(), state_.cursors.end(),
                       [&](const Cursor& cursor) { return found.facts.mtime_ns < cursor.mtime_ns; });
  }

  // A copy of a file that is followed where it is: the first half of "copy and truncate", or a backup. Its text comes from the
  // original; when that is truncated, relocate() finds the copy and goes on in it. What cannot be read now is looked at by the
  // next run.
  bool is_copy(const Found& found, std::size_t known) const {
    return std::any_of(survey_.files.begin(), survey_.files.begin() + static_cast<std::ptrdiff_t>(known),
                       [&](const FollowedFile& file) {
                         if (!file.cursor.fingerprint.tells_files_apart() || found.facts.size > file.size) return false;
                         const auto held = holds(found, file.cursor);
                         return !held || held.value();
                       });
  }

  void put_in_order() {
    auto& files = survey_.files;
    const auto key = [](const FollowedFile& file) {
      const bool is_new = file.cursor.offset == 0;  // clocks of file systems are coarse
      return std::make_tuple(file.mtime_ns, is_new, std::cref(file.cursor.path));
    };
    std::sort(files.begin(), files.end(), [&](const FollowedFile& a, const FollowedFile& b) { return key(a) < key(b); });
    std::map<std::string, std::int64_t> youngest_ns;  // by folder
    for (auto file = files.rbegin(); file != files.rend(); ++file) {
      const auto [youngest, is_first] = youngest_ns.emplace(folder_of(file->cursor.path), file->mtime_ns);
      file->youngest = is_first;
      file->superseded = youngest->second - file->mtime_ns > kSuperseded_ns;
    }
  }

  FileAccess& access_;
  const Start start_;
  const State& state_;
  bool pattern_removed_ = false;
  std::vector<Found> found_;
  std::set<std::string> searched_;
  std::vector<Cursor> displaced_;
  std::vector<Cursor> empty_;
  Survey survey_;
};

}  // namespace

std::string folder_of(const std::string& path) { return path.substr(0, path.rfind('/') + 1); }

std::string gap_message(const Gap& gap) {
  return std::to_string(gap.lost_bytes) + " bytes or more of " + gap.path + " were removed before they were read, from byte " +
         std::to_string(gap.from_byte);
}

Survey survey_files(FileAccess& access, const std::vector<std::string>& patterns, Start start, const State& state) {
  return Surveyor(access, start, state).run(patterns);
}

}  // namespace pganalytics::logs
