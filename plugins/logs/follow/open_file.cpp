#include "plugins/logs/follow/open_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

namespace pganalytics::logs {

FileFacts facts_of(const struct stat& status) {
  FileFacts facts;
  facts.id = {status.st_dev, status.st_ino};
  facts.size = static_cast<std::uint64_t>(status.st_size);
  facts.mtime_ns = static_cast<std::int64_t>(status.st_mtim.tv_sec) * 1'000'000'000 + status.st_mtim.tv_nsec;
  return facts;
}

Expected<OpenFile> OpenFile::open(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) {
    const pga_status status = errno == EACCES || errno == EPERM ? PGA_E_DENIED : PGA_E_FAIL;
    return Error{status, "logs.open", "cannot open " + path + ": " + std::strerror(errno), "", 0};
  }
  OpenFile file(fd, {});
  struct stat status {};
  if (fstat(fd, &status) != 0) return Error{PGA_E_FAIL, "logs.open", "cannot stat " + path + ": " + std::strerror(errno), "", 0};
  if (!S_ISREG(status.st_mode)) return Error{PGA_E_FAIL, "logs.open", path + " is not a regular file", "", 0};
  file.facts_ = facts_of(status);
  return file;
}

}  // namespace pganalytics::logs
