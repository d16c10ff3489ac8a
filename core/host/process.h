// A worker process: spawned with a socket and a pipe for what it prints, killed, reaped.
//
// Here: posix_spawn and signals. Not here: what is said over the socket (worker_handle.h). Spawn from a thread that lives as long
// as the host: the kernel kills the worker when the spawning THREAD ends.
#pragma once

#include <optional>
#include <pganalytics/expected.hpp>
#include <string>

#include "core/host/worker_body.h"

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

class Process : public WorkerBody {
 public:
  // Command line `pganalytics-worker <name>`, an environment of a few known names, its own process group. `worker_socket` becomes
  // descriptor 3, `output` 1 and 2.
  static Expected<Process> spawn(const std::string& worker_path, const std::string& name, int worker_socket, int output);

  Process(Process&& other) noexcept;
  Process& operator=(Process&&) = delete;
  // Kills and reaps, if nobody has. One that the kernel does not let go within a moment is left to init.
  ~Process() override;

  [[nodiscard]] pid_t pid() const override { return pid_; }
  // To the whole group: what a plugin started goes with it.
  void signal(int number) const override;
  std::optional<Ending> reap() override;
  [[nodiscard]] int end_fd() const override { return pidfd_.get(); }

 private:
  explicit Process(pid_t pid);

  pid_t pid_;  // 0: reaped
  Descriptor pidfd_;
};

}  // namespace pganalytics::host
