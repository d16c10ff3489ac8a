// The lock that makes a state folder belong to one running collector.
//
// Here: <dir>/spool.lock, and who holds it. [any thread] The lock goes when the object or the process does, however
// it ends; the file stays.
#pragma once

#include "core/files/file_lock.h"

#include <sys/types.h>

#include <optional>
#include <pganalytics/expected.hpp>
#include <string>
#include <utility>

namespace pganalytics::spool {

class SpoolLock {
 public:
  // error.code "spool.locked" when another process holds it.
  static Expected<SpoolLock> take(const std::string& dir);
  // The process that holds the lock of `dir` now; nullopt: none, or it cannot be known.
  static std::optional<pid_t> holder(const std::string& dir);

 private:
  explicit SpoolLock(files::FileLock lock) : lock_(std::move(lock)) {}
  files::FileLock lock_;
};

}  // namespace pganalytics::spool
