// SQLite's access to the disk, made slow or made to fail by the test: a VFS (sqlite.org/vfs.html) in front of the system's own.
#pragma once

#include <atomic>
#include <chrono>

namespace pganalytics::spool_test {

constexpr auto kHangsAtMost = std::chrono::seconds(60);

struct FaultyDisk {
  std::atomic<int> delay_ms{0};     // of each write and each sync
  std::atomic<bool> hangs{false};   // each write and each sync, as long as this is so; kHangsAtMost at the longest
  std::atomic<int> waiting{0};      // so many operations hang now
  std::atomic<int> fail_writes{0};  // the result code that each write and sync gets; 0: they work
  std::atomic<int> fail_reads{0};
  std::atomic<int> fail_next_syncs{0};  // so many of the next syncs fail ...
  std::atomic<int> spare_syncs{0};      // ... after so many that work
  std::atomic<int> fail_opens{0};
  std::atomic<int> opens{0}, opens_at_failure{0};  // files opened; and when one of those syncs failed
  // Or: of all operations (open, read, write, sync, truncate, delete, map), counted, those of [fail_from, fail_until) fail as on
  // a disk that is SQLITE_IOERR, SQLITE_FULL, SQLITE_READONLY or SQLITE_CORRUPT.
  std::atomic<int> operations{0}, fail_from{0}, fail_until{0}, illness{0};
  std::atomic<bool> skip_syncs{false};  // for a test that kills nothing
};

// While it lives, every database that is opened goes through it.
class FaultyVfs {
 public:
  FaultyVfs();
  ~FaultyVfs();
  static FaultyDisk& disk();
};

}  // namespace pganalytics::spool_test
