// malloc() of this program, and so of the plugin in it: fails when it is told to, on the thread that told it.
#pragma once

#include <pganalytics/plugin.h>

namespace pganalytics::validator {

// False with a sanitizer or another C library: then memory never runs out here.
bool can_fail_allocations();

// The plugin with its calls watched: the n-th allocation within them fails, those of the host's services do not count. One
// instance at a time. Lives as long as the process.
const pga_plugin* plugin_short_of_memory(const pga_plugin* plugin);
// From now on; 0: none fails. Counted over all calls.
void fail_allocation(long n);
// True once the allocation was asked for, and refused.
bool allocation_failed();

}  // namespace pganalytics::validator
