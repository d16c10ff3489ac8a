// Asks file systems how full they are, in threads, because one of them may never answer.
//
// statvfs(2) on a network mount whose server is gone blocks in the kernel, where nothing can interrupt it. So each file system is
// asked in a thread of its own; whoever has not answered when the time is up is reported as hung and left alone: it is not asked
// again, by no second thread, until the first has come back.
//
// Threads: one caller at a time. The destructor joins every thread that has answered. A thread that still hangs cannot be joined
// by anybody; it is detached. It owns all it touches, and the library it runs in is never unloaded, so it may come back
// at any time later, or end with the worker process. This is the one exception from "a plugin joins its threads".
#pragma once

#include <sys/statvfs.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <pganalytics/expected.hpp>
#include <string>
#include <thread>
#include <vector>

namespace pganalytics::disk {

class StatvfsProbe {
 public:
  struct Reply {
    struct statvfs usage {};
    std::uint64_t mount_id = 0;  // as mountinfo numbers them; 0: the kernel does not say (before Linux 5.8)
  };
  // 0, or -1 and errno. Called in any thread; must not throw.
  using Call = std::function<int(const char* path, Reply* reply)>;
  // statvfs(2), and statx(2) for the mount.
  static int ask_kernel(const char* path, Reply* reply);

  struct Target {
    std::string key;   // names the mount, over runs; no two targets have the same
    std::string path;  // where it is
  };
  // Errors: "disk.statvfs" (it answered with an error), "disk.hung", "disk.threads" (no thread to ask it with).
  using Answer = Expected<Reply>;

  explicit StatvfsProbe(Call call);
  StatvfsProbe(const StatvfsProbe&) = delete;
  StatvfsProbe& operator=(const StatvfsProbe&) = delete;
  ~StatvfsProbe();

  // One answer for each target, in their order. Returns once all have answered, `budget` is over, or `cancel_fd` is readable
  // (-1: there is none). An error only if nobody could be asked at all.
  Expected<std::vector<Answer>> ask(const std::vector<Target>& targets, std::chrono::milliseconds budget, int cancel_fd);

 private:
  struct Shared;
  struct Question;
  struct Asked {
    std::shared_ptr<Question> question;
    std::thread thread;
    std::chrono::steady_clock::time_point since;
  };

  Outcome open();
  void forget_returned();
  Outcome start(const Target& target);
  [[nodiscard]] bool has_answered(const Target& target) const;
  [[nodiscard]] bool wait(std::chrono::steady_clock::time_point end, int cancel_fd) const;
  Answer take_answer(const Target& target);

  std::shared_ptr<Shared> shared_;
  Call call_;
  std::map<std::string, Asked> asked_;  // by key; between two ask() only the hung ones
};

}  // namespace pganalytics::disk
