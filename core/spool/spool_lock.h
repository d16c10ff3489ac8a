// The lock that makes a state folder belong to one running collector.
//
// Here: flock(2) on <dir>/spool.lock, and who holds it. [any thread] The lock goes when the object or the process does, however
// it ends; the file stays.
#pragma once

#include <sys/types.h>

#include <optional>
#include <pganalytics/expected.hpp>
#include <string>

namespace pganalytics::spool {

class SpoolLock {
 public:
  // error.code "spool.locked" when another process holds it.
  static Expected<SpoolLock> take(const std::string& dir);
  // The process that holds the lock of `dir` now; nullopt: none, or it cannot be known.
  static std::optional<pid_t> holder(const std::string& dir);

  SpoolLock(SpoolLock&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  SpoolLock& operator=(SpoolLock&&) = delete;
  ~SpoolLock();

 private:
  explicit SpoolLock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace pganalytics::spool
