// What a plugin's worker may do, as the operator and the plugin's descriptor decide it: plain data, sent to the worker before it
// loads anything.
//
// Here: the choices. Not here: how they are derived from needs and configuration (sandbox_policy.h) and put in force (worker/).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace pganalytics::host {

enum class Isolation {
  kProcess,  // a worker process of its own
  kThread,   // a thread of the host: first-party plugins only, a hang can only be reported
};

// The operator's, from the plugin's table in the configuration.
struct Confinement {
  Isolation isolation = Isolation::kProcess;
  bool sandbox = true;                          // false: neither Landlock nor seccomp; said aloud at every start
  bool allow_exec = false;                      // a plugin that needs PGA_NEED_EXEC is refused without it
  std::string user;                             // empty: the host's own
  std::vector<std::string> groups;              // supplementary, by name
  std::vector<std::string> capabilities;        // "CAP_DAC_READ_SEARCH"; all others are dropped
  std::int64_t memory_max_bytes = 256LL << 20;  // RLIMIT_DATA, and what sampling holds resident memory against
  std::uint32_t cpu_max_percent = 80;           // of one core, over a minute; 0: no ceiling
};

}  // namespace pganalytics::host
