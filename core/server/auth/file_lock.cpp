#include "core/server/auth/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <thread>
#include <utility>

namespace pganalytics::server::auth {

Expected<FileLock> FileLock::acquire(const std::string& path, std::chrono::milliseconds patience) {
  FileLock lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (lock.fd_ < 0) {
    return Error{PGA_E_DENIED, "lock.open", "cannot open lock file " + path + ": " + std::generic_category().message(errno),
                 "Check who owns the directory and that it may be written.", 0};
  }
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (::flock(lock.fd_, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) {
      return Error{PGA_E_FAIL, "lock.take", "cannot lock " + path + ": " + std::generic_category().message(errno), "", 0};
    }
    if (std::chrono::steady_clock::now() >= deadline) {
      return Error{PGA_E_TRANSIENT, "lock.busy", "another process holds " + path,
                   "Wait for the other pganalytics-server process, or stop it.", 0};
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return lock;
}

FileLock::FileLock(FileLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

FileLock::~FileLock() {
  if (fd_ >= 0) ::close(fd_);  // and with it the lock
}

}  // namespace pganalytics::server::auth
