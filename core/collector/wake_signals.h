// SIGTERM, SIGINT, SIGHUP and calls from other threads, as one readable fd for the loop that waits.
//
// At most one object at a time. Handlers, not a mask: a worker must not inherit blocked signals, and exec resets handlers.
#pragma once

#include <pganalytics/expected.hpp>

namespace pganalytics::collector {

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
