// A worker makes itself small: limits, privileges, sandbox, in the one order that works.
//
// Here: putting a host::WorkerPolicy in force on this process. Not here: what is in the policy (core/host/sandbox_policy.h).
// Called once, while the process has one thread: Landlock, capabilities and no_new_privs are a thread's own, and later threads
// inherit them.
#pragma once

#include "core/host/worker_policy.h"

#include <pganalytics/expected.hpp>
#include <string>
#include <vector>

namespace pganalytics::worker {

// What is not in force because the kernel lacks it ("landlock: this kernel has none"). An error: the policy cannot be had though
// it ought to, nothing may be loaded.
using Gaps = std::vector<std::string>;
Expected<Gaps> confine(const host::WorkerPolicy& policy, int host_socket);

// The steps, in order.
Outcome set_limits(const host::WorkerPolicy& policy);       // limits.cpp
Outcome drop_privileges(const host::WorkerPolicy& policy);  // privileges.cpp
Outcome die_with_host(int host_socket);                     // privileges.cpp: after the user has changed, which undoes it
Expected<Gaps> limit_files_and_network(const host::WorkerPolicy& policy);  // landlock.cpp
Expected<Gaps> filter_system_calls(const host::WorkerPolicy& policy);      // confine.cpp

// "cannot <what>: <errno>".
Error cannot(const std::string& what, int code);

}  // namespace pganalytics::worker
