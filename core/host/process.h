// A worker process: spawned with a socket and a pipe for what it prints, killed, reaped.
//
// Here: posix_spawn and signals. Not here: what is said over the socket (worker_handle.h). Spawn from a thread that lives as long
// as the host: the kernel kills the worker when the spawning THREAD ends.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <pganalytics/expected.hpp>
#include <string>

namespace pganalytics::host {

// Owns a file descriptor.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept;
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor();

  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

// How a process ended, and what it had cost.
struct Ending {
  std::string how;  // "died of signal 11 (Segmentation fault)", "exited with status 3"
  std::int64_t cpu_ms = 0;
};

class Process {
 public:
  // Command line `pganalytics-worker <id>`, an environment of a few known names, its own process group. `worker_socket` becomes
  // descriptor 3, `output` 1 and 2.
  static Expected<Process> spawn(const std::string& worker_path, const std::string& id, int worker_socket, int output);

  Process(Process&& other) noexcept;
  Process& operator=(Process&&) = delete;
  // Kills and reaps, if nobody has. One that the kernel does not let go within a moment is left to init.
  ~Process();

  [[nodiscard]] pid_t pid() const { return pid_; }
  // To the whole group: what a plugin started goes with it.
  void signal(int number) const;
  // How it ended, once it has. Does not wait.
  std::optional<Ending> reap();
  // Readable once there is something to reap. -1: this kernel cannot tell (pidfd_open() is refused), ask now and then.
  [[nodiscard]] int end_fd() const { return pidfd_.get(); }

 private:
  explicit Process(pid_t pid);

  pid_t pid_;  // 0: reaped
  Descriptor pidfd_;
};

}  // namespace pganalytics::host
