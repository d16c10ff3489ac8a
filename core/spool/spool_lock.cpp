#include "core/spool/spool_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

namespace pganalytics::spool {
namespace {

std::string lock_path(const std::string& dir) { return dir + "/spool.lock"; }

Error locked(const std::string& dir) {
  const auto pid = SpoolLock::holder(dir);
  return Error{
      PGA_E_LIMIT, "spool.locked",
      "the state folder " + dir + " is in use by another collector" + (pid ? " (process " + std::to_string(*pid) + ")" : ""),
      "Stop the other one, or give this one a [collector] state_dir of its own.", 0};
}

}  // namespace

Expected<SpoolLock> SpoolLock::take(const std::string& dir) {
  const std::string path = lock_path(dir);
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) {
    return Error{errno == EACCES || errno == EROFS ? PGA_E_DENIED : PGA_E_FAIL, "spool.lock",
                 "unable to open " + path + ": " + std::strerror(errno), "Check owner and mode of " + dir + ".", 0};
  }
  SpoolLock lock(fd);
  if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno == EWOULDBLOCK) return locked(dir);
  return Error{PGA_E_FAIL, "spool.lock", "unable to lock " + path + ": " + std::strerror(errno), "", 0};
}

SpoolLock::~SpoolLock() {
  if (fd_ >= 0) ::close(fd_);
}

std::optional<pid_t> SpoolLock::holder(const std::string& dir) {
  struct stat file {};
  if (::stat(lock_path(dir).c_str(), &file) != 0) return std::nullopt;
  // proc(5): "1: FLOCK  ADVISORY  WRITE 708 08:02:396 0 EOF"; asking the lock itself would take it for a moment.
  const std::string inode = ":" + std::to_string(file.st_ino);
  std::ifstream locks("/proc/locks");
  for (std::string line; std::getline(locks, line);) {
    std::istringstream words(line);
    std::string number, kind, advisory, mode, place;
    pid_t pid = 0;
    if (!(words >> number >> kind >> advisory >> mode >> pid >> place) || kind != "FLOCK" || pid <= 0) continue;
    if (place.size() > inode.size() && place.compare(place.size() - inode.size(), inode.size(), inode) == 0) return pid;
  }
  return std::nullopt;
}

}  // namespace pganalytics::spool
