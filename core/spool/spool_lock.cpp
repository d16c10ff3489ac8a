#include "core/spool/spool_lock.h"

#include <sys/stat.h>

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
  PGA_TRY(auto lock, files::FileLock::try_take(lock_path(dir)));
  if (!lock) return locked(dir);
  return SpoolLock(std::move(*lock));
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
