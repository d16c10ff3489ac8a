// What a worker is made of, as far as its host is concerned: something that can be told to end, and whose end is noticed.
// A process (process.h), or by the operator's word a thread of the host (worker_thread.h).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

namespace pganalytics::host {

// How it ended, and what it had cost.
struct Ending {
  std::string how;  // "died of signal 11 (Segmentation fault)", "exited with status 3"
  std::int64_t cpu_ms = 0;
  bool in_order = false;
};

class WorkerBody {
 public:
  WorkerBody() = default;
  WorkerBody(const WorkerBody&) = delete;
  WorkerBody& operator=(const WorkerBody&) = delete;
  virtual ~WorkerBody() = default;

  [[nodiscard]] virtual pid_t pid() const = 0;  // 0: it has none of its own
  virtual void signal(int number) const = 0;
  // Once it has ended. Does not wait.
  virtual std::optional<Ending> reap() = 0;
  // Readable once there is something to reap. -1: nothing can tell, ask now and then.
  [[nodiscard]] virtual int end_fd() const = 0;
};

}  // namespace pganalytics::host
