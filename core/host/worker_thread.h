// A worker that is a thread of the host, isolation = "thread": the worker's own code (worker/session.h) over the same frames.
//
// A thread cannot be killed: told to end, it loses its link and its run is cancelled, and a plugin that does not return then is
// there for as long as the host is. Its crash is the host's. So first-party plugins only, by the operator's word. Neither limits
// nor sandbox bind it. Started and reaped on the supervisor's thread.
#pragma once

#include <memory>
#include <pganalytics/expected.hpp>
#include <string>

#include "core/host/process.h"
#include "core/host/worker_body.h"

namespace pganalytics::host {

// The plugins that may run in a thread.
bool is_first_party(const std::string& id);

class WorkerThread : public WorkerBody {
 public:
  // `name`: of the thread, cut to what the kernel takes. `socket` is the worker's end.
  static Expected<std::unique_ptr<WorkerThread>> start(const std::string& name, Descriptor socket);
  // Told to end; one that does not within a moment is left to itself.
  ~WorkerThread() override;

  [[nodiscard]] pid_t pid() const override { return 0; }
  // SIGKILL cuts the link; there is nothing less.
  void signal(int number) const override;
  std::optional<Ending> reap() override;
  [[nodiscard]] int end_fd() const override;

 private:
  struct Shared;  // outlives both sides
  explicit WorkerThread(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}

  std::shared_ptr<Shared> shared_;
};

}  // namespace pganalytics::host
