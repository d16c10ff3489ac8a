// One pganalytics-checker at work: started with a request, its answer and its output read as they come, killed when it is late.
//
// One thread; several at a time are polled together by validation.cpp.
#pragma once

#include <poll.h>
#include <sys/types.h>

#include <cstdint>
#include <pganalytics/expected.hpp>
#include <string>
#include <vector>

#include "core/host/process.h"
#include "core/validator/request.h"

namespace pganalytics::validator {

class CheckerProcess {
 public:
  static Expected<CheckerProcess> start(const std::string& checker_path, const Request& request, std::int64_t timeout_ms);

  CheckerProcess(CheckerProcess&& other) noexcept;
  CheckerProcess& operator=(CheckerProcess&&) = delete;
  ~CheckerProcess();  // kills and reaps

  void add_to_poll(std::vector<pollfd>& fds) const;
  // Read what has arrived; kill it if it is late; reap it once it is gone. Never blocks.
  void turn();
  [[nodiscard]] bool ended() const { return pid_ == 0; }
  // After it ended: what it found, or how it died.
  [[nodiscard]] Finding finding() const;
  [[nodiscard]] std::int64_t duration_ms() const { return (ended_ns_ - started_ns_) / 1'000'000; }
  [[nodiscard]] std::int64_t deadline_ns() const { return started_ns_ + timeout_ms_ * 1'000'000; }

 private:
  CheckerProcess(pid_t pid, host::Descriptor answer, host::Descriptor output, std::int64_t timeout_ms);
  bool reap(int options);  // of waitpid(2)

  pid_t pid_;        // 0: reaped
  pid_t group_ = 0;  // of a process that was reaped
  host::Descriptor death_, answer_, output_;
  bool answer_closed_ = false, output_closed_ = false;
  std::string answer_text_, output_text_;
  std::int64_t timeout_ms_, started_ns_, ended_ns_ = 0;
  bool late_ = false;
  int wait_status_ = 0;
};

}  // namespace pganalytics::validator
