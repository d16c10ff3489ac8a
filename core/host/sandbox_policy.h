// What a plugin's worker may do, derived from its needs, its configuration and the operator's choices.
//
// Here: the decision. Not here: how it is put in force (worker/confine.h), the system calls (system_call_filter.h). Looks at
// files and users, changes nothing. [any thread]
#pragma once

#include "core/host/messages.h"
#include "core/host/supervisor.h"

#include <sys/types.h>

#include <pganalytics/expected.hpp>
#include <string>
#include <vector>

namespace pganalytics::host {

// All the needs that there are in this version.
inline constexpr std::uint32_t kKnownNeeds = PGA_NEED_PG | PGA_NEED_NET | PGA_NEED_READ_FS | PGA_NEED_PROC | PGA_NEED_EXEC;

// Errors: PGA_E_CONFIG for what the operator must change (a user that does not exist, a path that shows our secrets, EXEC without
// allow_exec); PGA_E_UNSUPPORTED for an unknown need.
Expected<WorkerPolicy> policy_of(const PluginSettings& settings);

// Of a plugin that nothing is known of yet: no needs, no paths.
WorkerPolicy strictest_policy(const std::string& plugin_path);

// The first frame to the worker that runs as `worker`.
LoadMessage load_message(const std::string& path, const std::string& id, WorkerPolicy policy, pid_t worker);

// The policy that a worker was started with cannot be changed: does it differ from what it would be given now? Also because a
// file was replaced or a folder has appeared: rules stick to what was there.
bool needs_new_worker(const WorkerPolicy& in_force, const PluginSettings& wanted);

}  // namespace pganalytics::host
