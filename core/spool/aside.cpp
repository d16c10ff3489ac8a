#include "core/spool/aside.h"

#include "core/spool/spool_file.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace pganalytics::spool {
namespace {

constexpr std::string_view kPrefix = "spool.db.damaged-";
constexpr std::int64_t kDaySeconds = 24 * 3600;

struct Kept {
  std::string path;
  std::int64_t unix_seconds = 0, bytes = 0;
};

// The newest first.
std::vector<Kept> kept_in(const std::string& dir) {
  std::vector<Kept> kept;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(dir.c_str()), ::closedir);
  if (!folder) return kept;
  while (const dirent* const entry = ::readdir(folder.get())) {  // NOLINT(concurrency-mt-unsafe): a stream of our own
    const std::string_view name(entry->d_name);
    if (name.substr(0, kPrefix.size()) != kPrefix) continue;
    Kept one{dir + "/" + std::string(name), std::strtoll(entry->d_name + kPrefix.size(), nullptr, 10), 0};
    struct stat facts {};
    if (::lstat(one.path.c_str(), &facts) != 0 || !S_ISREG(facts.st_mode)) continue;
    one.bytes = facts.st_size;
    kept.push_back(std::move(one));
  }
  std::sort(kept.begin(), kept.end(), [](const Kept& a, const Kept& b) { return a.unix_seconds > b.unix_seconds; });
  return kept;
}

// false: it was not there.
Expected<bool> rename_if_there(const std::string& from, const std::string& to) {
  if (std::rename(from.c_str(), to.c_str()) == 0) return true;
  if (errno == ENOENT) return false;
  return Error{PGA_E_FAIL, "spool.aside", "unable to move the damaged " + from + " to " + to + ": " + std::strerror(errno),
               "Check owner and mode of the folder.", 0};
}

}  // namespace

Expected<std::string> move_aside(const std::string& dir, std::int64_t unix_ns) {
  const std::string path = database_path(dir);
  const std::string aside = dir + "/" + std::string(kPrefix) + std::to_string(unix_ns / 1'000'000'000);
  PGA_TRY(const bool database, rename_if_there(path, aside));
  PGA_TRY(const bool log, rename_if_there(path + "-wal", aside + "-wal"));
  ::unlink((path + "-shm").c_str());      // SQLite makes it again
  ::unlink((path + "-journal").c_str());  // of a file that was never finished
  return database || log ? aside : std::string();
}

void prune_aside(const std::string& dir, std::int64_t unix_ns) {
  std::int64_t room = kAsideBytesMax;
  std::size_t files = 0;
  for (const Kept& kept : kept_in(dir)) {
    const bool stays =
        ++files <= kAsideFilesMax && room > 0 && unix_ns / 1'000'000'000 - kept.unix_seconds < kAsideDays * kDaySeconds;
    if (!stays) {
      ::unlink(kept.path.c_str());
      continue;
    }
    if (kept.bytes > room && ::truncate(kept.path.c_str(), room) != 0) ::unlink(kept.path.c_str());
    room -= std::min(room, kept.bytes);
  }
}

}  // namespace pganalytics::spool
