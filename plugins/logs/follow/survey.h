// Which files are to be read, from where, in which order: the patterns, what is on disk and the stored cursors, reconciled.
//
// It knows files by device, inode and content, never by name alone, so that rotation, in any of its forms and at any moment,
// neither repeats nor skips. Not here: reading entries. Called once per run by the collector, on its thread.
#pragma once

#include "plugins/logs/follow/cursor.h"
#include "plugins/logs/follow/file_access.h"
#include "plugins/logs/problem.h"

#include <cstdint>
#include <string>
#include <vector>

namespace pganalytics::logs {

struct FollowedFile {
  Cursor cursor;
  std::uint64_t size = 0;  // now
  std::int64_t mtime_ns = 0;
  bool readable = true;
  bool superseded = false;  // a younger log file is beside it
  bool youngest = false;    // of its folder
  bool removed = false;     // no folder has it any more: FileAccess::held() does
  bool waits = false;       // for a file beside it that is not read as far as it must be before this one
  bool farewell = false;    // its pattern is watched no more: read to its end, and forgotten
};

// What was removed before it was read.
struct Gap {
  std::string path;
  std::uint64_t from_byte = 0;
  std::uint64_t lost_bytes = 0;  // at least: as far as the file had been seen
};

// "5 bytes or more of /a.log were removed before they were read, from byte 7": the words of the event class log.gap.
std::string gap_message(const Gap& gap);

// Up to its last "/".
std::string folder_of(const std::string& path);

struct Survey {
  std::vector<FollowedFile> files;  // the longest unwritten first
  std::vector<std::uint64_t> watched;
  Problems problems;
  std::vector<Gap> gaps;
};

// Where reading begins in files that are there when a pattern is first watched. Files that appear later are read whole.
enum class Start {
  kBeginning,
  kEnd,
  kEndOfOlder,  // of those last written before what was followed until now; the others are read whole
};

Survey survey_files(FileAccess& access, const std::vector<std::string>& patterns, Start start, const State& state);

}  // namespace pganalytics::logs
