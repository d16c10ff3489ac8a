#include "core/files/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <thread>
#include <utility>

namespace pganalytics::files {
namespace {

Error failed(const std::string& what, const std::string& path, int number) {
  const bool denied = number == EACCES || number == EPERM || number == EROFS;
  return Error{denied ? PGA_E_DENIED : PGA_E_FAIL, "lock", what + " " + path + ": " + std::generic_category().message(number),
               denied ? "Check who owns the folder and that it may be written." : "", 0};
}

}  // namespace

Expected<std::optional<FileLock>> FileLock::try_take(const std::string& path) {
  FileLock lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (lock.fd_ < 0 && (errno == EROFS || errno == EACCES)) {
    // flock(2) asks for no right to write: whoever holds it is seen where nothing may be written, too.
    const int denied = errno;
    lock.fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (lock.fd_ < 0) errno = denied;
  }
  if (lock.fd_ < 0) return failed("opening lock file", path, errno);
  while (::flock(lock.fd_, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return std::optional<FileLock>();
    if (errno != EINTR) return failed("locking", path, errno);
  }
  return std::optional<FileLock>(std::move(lock));
}

Expected<FileLock> FileLock::take(const std::string& path, std::chrono::milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  for (;;) {
    PGA_TRY(auto lock, try_take(path));
    if (lock) return std::move(*lock);
    if (std::chrono::steady_clock::now() >= deadline) {
      return Error{PGA_E_TRANSIENT, "lock.busy", "another process holds " + path, "Wait for the other process, or stop it.", 0};
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

Outcome FileLock::write_note(std::string_view note) {
  if (::ftruncate(fd_, 0) != 0 || ::pwrite(fd_, note.data(), note.size(), 0) != static_cast<ssize_t>(note.size())) {
    return failed("writing", "a lock file", errno);
  }
  return {};
}

FileLock::FileLock(FileLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

FileLock::~FileLock() {
  if (fd_ >= 0) ::close(fd_);  // and with it the lock
}

}  // namespace pganalytics::files
