// A regular file, open for reading, and what the system says of it. One thread.
#pragma once

#include "plugins/logs/follow/cursor.h"

#include <unistd.h>

#include <pganalytics/expected.hpp>
#include <string>
#include <utility>

struct stat;

namespace pganalytics::logs {

struct FileFacts {
  FileId id;
  std::uint64_t size = 0;
  std::int64_t mtime_ns = 0;
};
FileFacts facts_of(const struct stat& status);

class OpenFile {
 public:
  // Anything but a regular file is an error; a FIFO does not block.
  static Expected<OpenFile> open(const std::string& path);

  OpenFile(OpenFile&& other) noexcept : fd_(std::exchange(other.fd_, -1)), facts_(other.facts_) {}
  OpenFile& operator=(OpenFile&& other) noexcept {
    std::swap(fd_, other.fd_);
    std::swap(facts_, other.facts_);
    return *this;
  }
  ~OpenFile() {
    if (fd_ >= 0) close(fd_);
  }

  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] const FileFacts& facts() const { return facts_; }  // at the time of open()

 private:
  OpenFile(int fd, const FileFacts& facts) : fd_(fd), facts_(facts) {}

  int fd_;
  FileFacts facts_;
};

}  // namespace pganalytics::logs
