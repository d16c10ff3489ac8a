#include "core/spool/reserve.h"

#include "core/log/log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace pganalytics::spool {
namespace {

// More than the log that has to be copied before anything can be dropped (disk_store.cpp); a quarter of a small file system.
constexpr off_t kBytesMax = 4 << 20;

off_t bytes_for(const std::string& path) {
  struct statvfs disk {};
  if (::statvfs(path.substr(0, path.find_last_of('/')).c_str(), &disk) != 0) return kBytesMax;
  return std::min(kBytesMax, static_cast<off_t>(disk.f_blocks * disk.f_frsize / 4));
}

}  // namespace

void Reserve::make() {
  const off_t bytes = bytes_for(path_);
  struct stat file {};
  if (::stat(path_.c_str(), &file) == 0 && file.st_size == bytes) return;
  const int fd = ::open(path_.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0600);
  const int failed = fd < 0 ? errno : ::posix_fallocate(fd, 0, bytes);
  if (fd >= 0) ::close(fd);
  if (failed == 0) {
    told_ = false;
    return;
  }
  if (fd >= 0) give_up();  // a part of it helps nobody
  if (!told_) log::warn("no room for " + path_ + ": " + std::strerror(failed) + "; the disk is as good as full");
  told_ = true;
}

Outcome Reserve::probe() const {
  const std::string path = path_ + ".probe";
  const int fd = ::open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0600);
  const bool written = fd >= 0 && ::write(fd, "probe", 5) == 5 && ::fsync(fd) == 0;
  Outcome outcome =
      written ? Outcome() : Error{PGA_E_FAIL, "spool.file", "unable to write " + path + ": " + std::strerror(errno), "", 0};
  if (fd >= 0) ::close(fd);
  ::unlink(path.c_str());
  return outcome;
}

void Reserve::give_up() { ::unlink(path_.c_str()); }

}  // namespace pganalytics::spool
