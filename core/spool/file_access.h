// The spool's file where SQLite's own ways of opening and writing it do not reach: a folder that may only be read, a file whose
// name is gone while it is open.
//
// Private to core/spool. Not here: its format (spool_file.h), damage (salvage.h). [storage thread]
#pragma once

#include "core/spool/sqlite.h"

#include <sys/types.h>

#include <pganalytics/expected.hpp>
#include <string>

namespace pganalytics::spool {

struct FilePlace {
  dev_t device = 0;
  ino_t inode = 0;  // 0: there is no file
};
inline bool operator==(const FilePlace& a, const FilePlace& b) { return a.device == b.device && a.inode == b.inode; }
FilePlace place_of(const std::string& path);

// Of `dir`, or of the nearest folder above it that is there.
dev_t file_system_of(const std::string& dir);

// Nothing is written, not even beside it. A log that was not copied into the file yet and cannot be read is an error: without it
// the file would be out of date.
Expected<Database> open_for_reading(const std::string& path);

// All of `database`, as it is open here, as a new file at `path` (0600), in place of whatever is there.
Outcome write_whole(Database& database, const std::string& path);

}  // namespace pganalytics::spool
