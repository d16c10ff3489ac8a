// Control groups (cgroup v2) for workers, where the service manager delegated one to the host: limits for a worker with all that
// it starts, and a kill that nothing escapes.
//
// Layout below the host's own group, after the rule that processes live in leaves only: `collector` for the host itself,
// `worker-<name>` for each worker. A group counts as delegated only if the service manager says so (the attribute user.delegate
// or trusted.delegate, set by Delegate=yes): a collector started by hand leaves the machine's groups alone. Here: folders and
// files of cgroupfs. Not here: when a worker is killed (runner.h). One thread.
#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <pganalytics/expected.hpp>
#include <string>
#include <vector>

#include "core/host/confinement.h"

namespace pganalytics::host {

// One worker's. Its destructor kills what is in it and removes it.
class WorkerGroup {
 public:
  explicit WorkerGroup(std::string folder) : folder_(std::move(folder)) {}
  WorkerGroup(const WorkerGroup&) = delete;
  WorkerGroup& operator=(const WorkerGroup&) = delete;
  ~WorkerGroup();

  Outcome add(pid_t pid);
  // Everything in it, also what left the worker's session and process group.
  void kill();

 private:
  std::string folder_;
};

class WorkerGroups {
 public:
  // nullopt: no group was delegated to this process, there will be no groups.
  static std::optional<WorkerGroups> of_this_process();
  // In `folder` of cgroupfs. What a host before left there is removed.
  static Expected<WorkerGroups> in(const std::string& folder);

  // With the limits of those controllers that there are: memory.max, pids.max, and cpu.max against bursts (the ceiling itself is
  // an average, and sampled).
  Expected<std::unique_ptr<WorkerGroup>> make(const std::string& name, const Confinement& confinement);

 private:
  explicit WorkerGroups(std::string folder) : folder_(std::move(folder)) {}

  std::string folder_;
  std::vector<std::string> controllers_;  // that the groups have
};

}  // namespace pganalytics::host
