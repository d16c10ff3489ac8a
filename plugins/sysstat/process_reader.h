// Reading the files of processes by the hundred: no path is made on the heap, no text either. Any thread.
//
// No file is kept open, though reading one again would cost half: a worker has few descriptors, and sessions are many.
#pragma once

#include <sys/types.h>

#include <string_view>

namespace pganalytics::sysstat {

struct ProcessText {
  std::string_view text;  // into the reader, until its next read; at most 4096 bytes, which only command lines may exceed
  int failure = 0;        // errno; then the text is empty
};

class ProcessReader {
 public:
  // `folder`: a descriptor of /proc that outlives this.
  explicit ProcessReader(int folder) : folder_(folder) {}

  ProcessText read(pid_t pid, const char* file);

 private:
  int folder_;
  char block_[4096];
};

}  // namespace pganalytics::sysstat
