#include "plugins/sysstat/process_reader.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace pganalytics::sysstat {

OpenFile::~OpenFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

ProcessText ProcessReader::read(pid_t pid, const char* file, OpenFile* kept) {
  char path[64];
  std::snprintf(path, sizeof path, "%d/%s", static_cast<int>(pid), file);
  OpenFile opened(::openat(folder_, path, O_RDONLY | O_CLOEXEC));
  if (!opened) return {{}, errno};
  const ProcessText text = read_again(opened);
  if (kept != nullptr && text.failure == 0) *kept = std::move(opened);
  return text;
}

ProcessText ProcessReader::read_again(const OpenFile& file) {
  const ssize_t got = ::pread(file.descriptor(), block_, sizeof block_, 0);
  if (got < 0) return {{}, errno};
  return {{block_, static_cast<std::size_t>(got)}, 0};
}

}  // namespace pganalytics::sysstat
