#include "plugins/logs/follow/folder_watch.h"

#include <linux/magic.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>

namespace pganalytics::logs {
namespace {

constexpr std::uint32_t kEvents =
    IN_CREATE | IN_DELETE | IN_MODIFY | IN_ATTRIB | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
constexpr std::size_t kMaxFolders = 64;
constexpr long kZfs = 0x2fc12fc1;  // OpenZFS, include/os/linux/spl/sys/types.h

// All that happens here goes through this kernel and shows. Not so with overlayfs, whose lower layers may change on their own.
bool tells_all(const std::string& folder) {
  struct statfs facts {};
  if (statfs(folder.c_str(), &facts) != 0) return false;
  const long local[] = {EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, BTRFS_SUPER_MAGIC, TMPFS_MAGIC, F2FS_SUPER_MAGIC, kZfs};
  return std::find(std::begin(local), std::end(local), static_cast<long>(facts.f_type)) != std::end(local);
}

std::string real(const std::string& path) {
  const std::unique_ptr<char, void (*)(void*)> resolved(realpath(path.c_str(), nullptr), std::free);
  return resolved == nullptr ? "" : resolved.get();
}

// Written under a name in another folder, a file would not show in its own.
bool has_one_name(const std::string& path, const std::string& folder) {
  struct stat facts {};
  if (lstat(path.c_str(), &facts) != 0 || facts.st_nlink != 1 || !S_ISREG(facts.st_mode)) return false;
  const std::string file = real(path);
  return !file.empty() && file.substr(0, file.rfind('/')) == real(folder);
}

}  // namespace

FolderWatch::~FolderWatch() {
  if (fd_ >= 0) close(fd_);
}

bool FolderWatch::may_have_changed() {
  bool changed = unsure_;
  unsure_ = fd_ < 0;
  alignas(inotify_event) char events[16 * 1024];
  while (fd_ >= 0) {
    const ssize_t got = read(fd_, events, sizeof events);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return changed || (got < 0 && errno != EAGAIN);
    changed = true;  // also when the queue overflowed: that is an event
  }
  return changed;
}

void FolderWatch::watch(const std::vector<std::string>& paths) {
  std::set<std::string> files(paths.begin(), paths.end());
  if (files == files_) return;
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
  unsure_ = true;
  if (!begin(files) && fd_ >= 0) {
    close(fd_);
    fd_ = -1;
  }
  files_ = std::move(files);
}

bool FolderWatch::begin(const std::set<std::string>& files) {
  std::set<std::string> folders;
  for (const std::string& path : files) {
    const std::string folder = path.substr(0, path.rfind('/') + 1);
    folders.insert(folder);
    if (!has_one_name(path, folder)) return false;
  }
  if (folders.empty() || folders.size() > kMaxFolders) return false;
  fd_ = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  return fd_ >= 0 && std::all_of(folders.begin(), folders.end(), [&](const std::string& folder) {
           return tells_all(folder) && inotify_add_watch(fd_, folder.c_str(), kEvents) >= 0;
         });
}

}  // namespace pganalytics::logs
