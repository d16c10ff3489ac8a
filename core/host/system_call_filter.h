// The system calls that a worker may not make, as a seccomp program.
//
// A list of what is denied: a list of what is allowed would break with the next libc, and plugins in Go or Rust with it. Denied
// calls answer EPERM. Calls that are younger than this program answer ENOSYS, as an older kernel would. A call by another
// processor architecture's numbers ends the process. [any thread]
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace pganalytics::host {

// The struct sock_filter[] for the process `worker` and a plugin with these needs. Empty: libseccomp does not know this
// processor.
std::string system_call_filter(std::uint32_t needs, pid_t worker);

}  // namespace pganalytics::host
