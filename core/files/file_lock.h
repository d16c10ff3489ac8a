// An exclusive lock between processes for as long as an object lives: flock(2) on a file made for it.
//
// The kernel drops the lock with its holder, however that one ends; the file stays. What holding it means is the caller's
// business (a spool, a cluster, files made once). [any thread]
#pragma once

#include <chrono>
#include <optional>
#include <pganalytics/expected.hpp>
#include <string>
#include <string_view>

namespace pganalytics::files {

class FileLock {
 public:
  // nullopt: somebody else holds it. PGA_E_DENIED: the file cannot be opened or made. One that may only be read is locked all the
  // same.
  static Expected<std::optional<FileLock>> try_take(const std::string& path);
  // Waits up to `patience`; PGA_E_TRANSIENT ("lock.busy") if somebody else still holds it then.
  static Expected<FileLock> take(const std::string& path, std::chrono::milliseconds patience);

  // What others may read in the file while it is locked, in place of what it said before.
  Outcome write_note(std::string_view note);

  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;
  ~FileLock();

 private:
  explicit FileLock(int fd) : fd_(fd) {}
  int fd_ = -1;
};

}  // namespace pganalytics::files
