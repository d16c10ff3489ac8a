// Tells whether anything happened to log files between two runs, so that a run on a quiet server need not look at each of them.
//
// inotify(7) on their folders. Where it does not tell all (a file system on other machines or in user space, a file that is
// written through a link in another folder) the answer is always "it may have". One thread.
#pragma once

#include <set>
#include <string>
#include <vector>

namespace pganalytics::logs {

class FolderWatch {
 public:
  FolderWatch() = default;
  FolderWatch(const FolderWatch&) = delete;
  FolderWatch& operator=(const FolderWatch&) = delete;
  ~FolderWatch();

  // May a file in the watched folders have been written, made, renamed or removed since the last call? To be called before the
  // files are looked at, so that what happens meanwhile is told by the next call.
  [[nodiscard]] bool may_have_changed();

  // Watches the folders of these files, and no others. Unless they are those of before, the next answer is "it may have".
  void watch(const std::vector<std::string>& paths);

 private:
  bool begin(const std::set<std::string>& files);

  int fd_ = -1;
  std::set<std::string> files_;  // whose folders are watched
  bool unsure_ = true;
};

}  // namespace pganalytics::logs
