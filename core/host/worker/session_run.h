// One collect() in progress: what the session keeps of it between the calls of the plugin.
//
// Private to session.cpp and session_services.cpp.
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>

#include "core/host/worker/session.h"

namespace pganalytics::worker {

// The descriptor becomes readable on cancel and belongs to one run: a cancel that comes late cannot reach the next one.
struct Session::Run {
  Run(std::uint64_t run_number, std::uint64_t credit)
      : number(run_number), cancel_fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), credit_bytes(credit) {}
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;
  ~Run() {
    if (cancel_fd >= 0) close(cancel_fd);
  }

  std::uint64_t number;
  int cancel_fd;
  std::atomic<bool> cancelled{false};
  pga_run table{};
  std::uint64_t credit_bytes;  // of documents that may be sent; under Session::running_
  std::uint64_t bytes = 0;
  std::uint32_t documents = 0, refused = 0;
  host::Verdict refusal;  // of the first refused document
};

}  // namespace pganalytics::worker
