// The pages of a spool's file as its newest transaction left them, read without SQLite: from the database and its log.
//
// A page whose newest image is damaged does not exist: an older image could bring back rows that ended long ago. Private to
// core/spool. Not here: rows (rows.h). [one thread at a time; hold the spool's lock]
#pragma once

#include "core/spool/file_bytes.h"
#include "core/spool/wal.h"

#include <map>
#include <string>

namespace pganalytics::spool {

class Pages {
 public:
  // The first `frames` frames of the log lie over the database.
  Pages(const FileBytes& database, const FileBytes& log, const Wal& wal, std::size_t frames);

  // They are numbered from 1.
  [[nodiscard]] std::uint32_t count() const { return count_; }
  // The first page from `number` on that was ever written; 0: none. Holes are passed over, however large they are.
  [[nodiscard]] std::uint32_t next(std::uint32_t number) const;
  // How many were written, about.
  [[nodiscard]] std::uint64_t written() const { return written_; }
  // false: no such page, or it is damaged.
  bool read(std::uint32_t number, std::string& page) const;

 private:
  const FileBytes& database_;
  const FileBytes& log_;
  std::map<std::uint32_t, WalFrame> newest_;
  std::uint32_t count_ = 0;
  std::uint64_t written_ = 0;
  mutable FileBytes::Extent extent_;  // that next() stands in
};

}  // namespace pganalytics::spool
