// All commands of a run: started a few at a time, read, ended in time, reaped.
//
//     |------ timeout ------|---- grace ----|-- patience --|
//     start              SIGTERM         SIGKILL      left behind
//
// A command gets its own timeout or what the run has left, whichever is less, so that collect() is back before its deadline
// whatever the commands do. Output beyond its bounds counts as time that is up. One that SIGKILL does not end (it hangs in the
// kernel) is left behind and not started again while it is there. Signals go to the whole process group; what leaves it (setsid)
// is not ours to find.
//
// Here: the loop. Not here: one process (child.h), what its output means (json_lines.h, performance_data.h). [thread of
// collect()]
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <pganalytics/plugin.hpp>
#include <string>
#include <vector>

#include "plugins/exec/child.h"
#include "plugins/exec/settings.h"

namespace pganalytics::exec {

// What came of one command. Without `exit` it did not end, or was never started: `failure` says which.
struct Finished {
  std::optional<Exit> exit;
  std::optional<Error> failure;  // exec.start, exec.timeout, exec.output, exec.stuck, exec.no_time
  std::optional<std::chrono::duration<double, std::milli>> duration;
  std::string out, last_error_line;
};

class Crew {
 public:
  // One command and its environment, "NAME=value", or why it cannot be run.
  struct Task {
    const Command* command = nullptr;
    Expected<std::vector<std::string>> env;
  };

  Crew() = default;
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;
  ~Crew();

  // In the order of `tasks`. PGA_E_DEADLINE: the run was cancelled; everything has been killed.
  Expected<std::vector<Finished>> work(std::vector<Task> tasks, const Run& run);

 private:
  std::map<std::string, Child> left_behind_;  // by the command's name
};

}  // namespace pganalytics::exec
