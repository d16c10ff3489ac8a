#include "plugins/sysstat/process_reader.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace pganalytics::sysstat {

ProcessText ProcessReader::read(pid_t pid, const char* file) {
  char path[64];
  std::snprintf(path, sizeof path, "%d/%s", static_cast<int>(pid), file);
  const int descriptor = ::openat(folder_, path, O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return {{}, errno};
  const ssize_t got = ::read(descriptor, block_, sizeof block_);
  const int failure = got < 0 ? errno : 0;
  ::close(descriptor);
  return {{block_, got < 0 ? 0 : static_cast<std::size_t>(got)}, failure};
}

}  // namespace pganalytics::sysstat
