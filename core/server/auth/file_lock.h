// An exclusive lock between processes for as long as an object lives: flock(2) on a file made for it.
//
// Two servers, or a server and a command beside it, may come to a fresh data directory at the same moment; whoever holds the lock
// makes the files, the other finds them made. The kernel drops the lock with its holder, however that one ends. [any thread]
#pragma once

#include <chrono>
#include <pganalytics/expected.hpp>
#include <string>

namespace pganalytics::server::auth {

class FileLock {
 public:
  // Waits up to `patience`; PGA_E_TRANSIENT if somebody else still holds it then.
  static Expected<FileLock> acquire(const std::string& path, std::chrono::milliseconds patience);

  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;
  ~FileLock();

 private:
  explicit FileLock(int fd) : fd_(fd) {}
  int fd_ = -1;
};

}  // namespace pganalytics::server::auth
