// One command as a process, and everything it starts as its process group.
//
// Here: start, read, signal, reap. Not here: when to do which (crew.h), what the output means. Nothing below blocks. The process
// has a clean environment, standard input from /dev/null, no descriptor but 0, 1 and 2, default signal handlers. It is started by
// posix_spawn, so nothing of ours runs in it. [thread of collect()]
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <pganalytics/expected.hpp>
#include <string>
#include <utility>
#include <vector>

#include "plugins/exec/settings.h"

namespace pganalytics::exec {

// A descriptor that is closed with its owner.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() { close(); }
  void close();
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

// How a process ended: one of the two; neither if the system does not say.
struct Exit {
  std::optional<int> code, signal;
};

class Child {
 public:
  // `env`: "NAME=value". PGA_E_FAIL, "exec.start": it cannot be run, and why.
  static Expected<Child> start(const Command& command, const std::vector<std::string>& env);

  Child(Child&&) noexcept = default;
  Child& operator=(Child&&) noexcept = default;
  // Whoever lets a child go that was not reaped leaves it running: Crew does not.

  // To be polled for reading; negative: closed, or not to be had.
  [[nodiscard]] int out_fd() const { return out_.get(); }
  [[nodiscard]] int err_fd() const { return err_.get(); }
  [[nodiscard]] int end_fd() const { return end_.get(); }  // readable once it has ended

  // Takes what is there to read. Of standard output the first kOutputBytesMax bytes are kept, of standard error the last few KiB
  // of at most 1 MiB; whichever has more is closed.
  void read();
  void signal_group(int number) const;
  // If it has ended: takes the rest of its output, kills what it left behind in its group, and reaps it.
  std::optional<Exit> reap();

  [[nodiscard]] const std::string& out() const { return out_text_; }
  [[nodiscard]] bool too_much() const { return too_much_; }
  [[nodiscard]] std::string last_error_line() const;
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  Child() = default;

  pid_t pid_ = -1;  // and the group's
  Descriptor out_, err_, end_;
  std::string out_text_, err_tail_;
  std::size_t err_bytes_ = 0;
  bool too_much_ = false;
};

}  // namespace pganalytics::exec
