// SQLite's write-ahead log, read without SQLite: which frames are whole, and whether a damaged one lies among them.
//
// SQLite stops at the first frame whose checksum is wrong and forgets all that was committed after it, in silence. Each frame's
// checksum is seeded with the stored one of the frame before, so a reader can find its feet again behind the damage.
// Format: https://www.sqlite.org/fileformat2.html#walformat. Private to core/spool. Not here: what is on the pages (pages.h).
// [any thread; the file must not change meanwhile: hold the spool's lock]
#pragma once

#include "core/spool/file_bytes.h"

#include <cstdint>
#include <vector>

namespace pganalytics::spool {

constexpr std::size_t kPageBytes = 4096;  // of every spool: spool_file.cpp asks for it

struct WalFrame {
  std::uint32_t page = 0;
  std::uint32_t database_pages = 0;  // 0: not the last frame of a transaction
  std::uint64_t at = 0;              // of the page's bytes in the log
  bool whole = false;                // as it was written, or put right
};

struct Wal {
  std::vector<WalFrame> frames;  // of the log's present generation, damaged ones included
  std::size_t committed = 0;     // how many of them end with the last whole commit
  std::size_t sound = 0;         // how many of them SQLite sees: up to the last commit in front of any damage
  // Damage that is no torn write: two commits stand behind it, and each was on the disk before the next was begun. With one
  // commit behind it the last transaction may never have been promised; whether it was, the witness knows.
  bool broken = false;
};

// A log that is not there, or holds nothing, has no frames.
Wal read_wal(const FileBytes& file);

}  // namespace pganalytics::spool
