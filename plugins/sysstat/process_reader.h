// Reading the files of processes by the hundred, cheaply.
//
// Opening /proc/PID/stat costs the kernel more than writing it: looking up the path, making its entries, asking the sandbox. A
// file that is kept open is read again at a fraction of that, and never tells of another process: it ends with its own (ESRCH).
// Any thread.
#pragma once

#include <sys/types.h>

#include <string_view>
#include <utility>

namespace pganalytics::sysstat {

struct ProcessText {
  std::string_view text;  // into the reader, until its next read; at most 4096 bytes, which only command lines may exceed
  int failure = 0;        // errno; then the text is empty
};

// An open file, closed with its owner.
class OpenFile {
 public:
  OpenFile() = default;
  explicit OpenFile(int descriptor) : descriptor_(descriptor) {}
  OpenFile(OpenFile&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  OpenFile& operator=(OpenFile&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~OpenFile();

  explicit operator bool() const { return descriptor_ >= 0; }
  [[nodiscard]] int descriptor() const { return descriptor_; }

 private:
  int descriptor_ = -1;
};

class ProcessReader {
 public:
  // `folder`: a descriptor of /proc that outlives this.
  explicit ProcessReader(int folder) : folder_(folder) {}

  // `file` of the process; the open file goes to `kept` if that is not null.
  ProcessText read(pid_t pid, const char* file, OpenFile* kept = nullptr);
  // The text as it is now.
  ProcessText read_again(const OpenFile& file);

 private:
  int folder_;
  char block_[4096];
};

}  // namespace pganalytics::sysstat
