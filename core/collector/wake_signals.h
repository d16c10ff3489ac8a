// SIGTERM, SIGINT, SIGHUP and calls from other threads, as one readable fd for the loop that waits.
//
// At most one object at a time. Handlers, not a mask: a worker must not inherit blocked signals, and exec resets handlers.
//
// From SIGTERM or SIGINT on the process has kStopSecondsMax to end by itself. Then it ends with 0 wherever it hangs, in a disk or
// in the name service: to what it keeps that is a SIGKILL, which costs nothing that was sealed.
#pragma once

#include <pganalytics/expected.hpp>

namespace pganalytics::collector {

// Of the 15 s that whoever stops it waits.
constexpr unsigned kStopSecondsMax = 13;

class WakeSignals {
 public:
  static Expected<WakeSignals> install();
  WakeSignals(WakeSignals&& other) noexcept;
  WakeSignals& operator=(WakeSignals&&) = delete;
  ~WakeSignals();

  [[nodiscard]] int fd() const { return fd_; }  // readable until clear()
  void clear() const;
  void wake() const;  // [any thread]

  [[nodiscard]] static bool stop_wanted();  // SIGTERM or SIGINT came
  static bool take_reload();                // SIGHUP came since the last call

 private:
  explicit WakeSignals(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace pganalytics::collector
